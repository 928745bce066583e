"""One HTTP request as curl would send it: nothing of a ClickHouse client in between."""

import base64
import http.client
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlencode, urlsplit


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> str | None:
        """The exception's code."""
        return self.headers.get("X-ClickHouse-Exception-Code")


def ask(
    url: str,
    sql: str | bytes = b"",
    parameters: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    credentials: bool = True,
) -> Reply:
    """Send `sql` as the body; credentials of the URL go as basic authentication."""
    address = urlsplit(url)
    sent = dict(headers or {})
    if credentials:
        pair = f"{unquote(address.username or 'default')}:{unquote(address.password or '')}"
        sent["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request(method, f"{path}?{urlencode(parameters or {})}", sql or None, sent)
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read())
    finally:
        connection.close()
