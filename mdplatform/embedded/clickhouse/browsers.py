"""What a browser sends on behalf of a page that is not ours is answered before anything of it is read: with 403.

A page on the internet can reach loopback through the browser of whoever reads it: by a form, an image, a script, or a
name of its own that it lets point to 127.0.0.1. Only the browser knows, and says so: in Host, Origin, Sec-Fetch-Site.
"""

import ipaddress
from collections.abc import Collection

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OWN_SITES = (b"same-origin", b"none")  # "none": typed by the user; same-site is another port of this machine


class ForeignPagesRefused:
    """An ASGI application in front of `app`. `hosts` are names (lower case, without port) beside those of loopback."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app, self._hosts = app, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (reason := self._foreign(scope)):
            await PlainTextResponse(f"{reason}\n", 403, {"connection": "close"})(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _foreign(self, scope: Scope) -> str:
        """Why the request is refused; empty for one that is not."""
        found: dict[bytes, list[bytes]] = {b"host": [], b"origin": [], b"sec-fetch-site": []}
        for name, value in scope["headers"]:
            if name in found:
                found[name].append(value.strip())
        hosts = found[b"host"]
        if len(hosts) != 1 or not self._is_ours(hosts[0], scope):
            return "refused: the Host header names neither loopback nor a host that is allowed here"
        own = scope["scheme"].encode() + b"://" + hosts[0].lower()
        if any(origin.lower() != own for origin in found[b"origin"]):
            return "refused: the request comes from a page of another origin"
        if any(site.lower() not in OWN_SITES for site in found[b"sec-fetch-site"]):
            return "refused: the request comes from a page of another site"
        return ""

    def _is_ours(self, header: bytes, scope: Scope) -> bool:
        host = hostname(header)
        if host == "localhost" or host in self._hosts:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        # The address that the request arrived at is no name that somebody else could let point here.
        return address.is_loopback or (scope.get("server") is not None and host == scope["server"][0])


def hostname(header: bytes) -> str:
    """The name or address of a Host header, in lower case, without port and brackets; empty for one that is none."""
    text = header.decode("latin-1").lower()
    name, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        name = text
    elif not port.isdecimal():
        return ""
    if name.startswith("[") and name.endswith("]"):
        return name[1:-1]
    return "" if ":" in name or "@" in name or "/" in name else name
