"""What a browser sends on behalf of a page that is not ours is answered before anything of it is read: with 403.

A page on the internet can reach loopback through the browser of whoever reads it: by a form, an image, a script, or a
name of its own that it lets point to 127.0.0.1. Only the browser knows, and says so: in Host, Origin, Sec-Fetch-*
(https://www.w3.org/TR/fetch-metadata/). The embedded ClickHouse, Dagster's pages and the live page stand behind this.
"""

import ipaddress
from collections.abc import Collection

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OWN_SITES = (b"same-origin", b"none")  # "none": typed by the user; same-site is another port of this machine
HEADERS = (b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")
SCHEMES = {"http": b"http", "https": b"https", "ws": b"http", "wss": b"https"}  # of the page that asks
POLICY_VIOLATION = 1008

Found = dict[bytes, list[bytes]]


class ForeignPagesRefused:
    """An ASGI application in front of `app`, for requests and WebSockets.

    `hosts` are names (lower case, without port) beside those of loopback; None allows every name, for an `app` that
    asks for a secret which a browser sends to one name only. With `links` a link on a foreign page may be followed: for
    an `app` where a GET changes nothing.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None = (), links: bool = False) -> None:
        self._app, self._links = app, links
        self._hosts = None if hosts is None else frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = self._foreign(scope) if scope["type"] in ("http", "websocket") else ""
        if not reason:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Before it is accepted: the server answers the handshake with 403.
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason})
        else:
            await PlainTextResponse(f"{reason}\n", 403, {"connection": "close"})(scope, receive, send)

    def _foreign(self, scope: Scope) -> str:
        """Why the request is refused; empty for one that is not."""
        found: Found = {name: [] for name in HEADERS}
        for name, value in scope["headers"]:
            if name in found:
                found[name].append(value.strip().lower())
        hosts = found[b"host"]
        if len(hosts) != 1 or not self._is_ours(hosts[0], scope):
            return "refused: the Host header names neither loopback nor a host that is allowed here"
        if any(origin not in self._origins(hosts[0], scope) for origin in found[b"origin"]):
            return "refused: the request comes from a page of another origin"
        if any(site not in OWN_SITES for site in found[b"sec-fetch-site"]) and not self._is_link(found, scope):
            return "refused: the request comes from a page of another site"
        return ""

    def _is_ours(self, header: bytes, scope: Scope) -> bool:
        host = hostname(header)
        if self._hosts is None or host == "localhost" or host in self._hosts:
            return bool(host)
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        # The address that the request arrived at is no name that somebody else could let point here.
        return address.is_loopback or (scope.get("server") is not None and host == scope["server"][0])

    def _origins(self, header: bytes, scope: Scope) -> tuple[bytes, ...]:
        """The pages of this host; those of a configured name may have come through a proxy that speaks TLS."""
        own = SCHEMES[scope["scheme"]] + b"://" + header
        is_configured = self._hosts is None or hostname(header) in self._hosts
        return (own, b"https://" + header) if is_configured else (own,)

    def _is_link(self, found: Found, scope: Scope) -> bool:
        """Whether a person has followed a link: the answer replaces the foreign page, which cannot read it."""
        as_document = found[b"sec-fetch-mode"] == [b"navigate"] and found[b"sec-fetch-dest"] == [b"document"]
        return self._links and scope.get("method") in ("GET", "HEAD") and as_document


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
