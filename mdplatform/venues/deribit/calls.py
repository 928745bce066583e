"""JSON-RPC calls under way on one connection, and the login: a file of its own, as no other venue logs in."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.session import Credentials, Send

_TOKENS = re.compile(rb'("(?:access|refresh)_token"\s*:\s*")[^"]*')
_REFRESH_AT = 0.8  # share of a token's lifetime


class Calls:
    """What was asked and not answered, by id. Until a connection is open nothing is: a recording is asked nothing."""

    def __init__(self) -> None:
        self._last_id = 0
        self._is_connected = False
        self._open: dict[int, str] = {}  # method by id

    def connected(self) -> None:
        """A new connection: what the old one was asked is never answered."""
        self._is_connected = True
        self._open.clear()

    def make(self, method: str, params: dict[str, Any]) -> tuple[str, Send]:
        """(its id as text, the frame)."""
        self._last_id += 1
        if self._is_connected:
            self._open[self._last_id] = method
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        return str(self._last_id), Send(msgspec.json.encode(request))

    def answered(self, call_id: int | str) -> str | None:
        """The method of the call with this id; None where it was never made, as in a recording."""
        return self._open.pop(call_id, None) if isinstance(call_id, int) else None


class Login:
    """The parameters of ``public/auth``: first with the credentials, then, in time, with the refresh token.

    No scope is named, which makes it the connection's own: named sessions are limited to 16 a key.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._refresh_token: str | None = None
        self.was_refresh = False  # what ``params`` last gave
        self._due_ns: int | None = None  # None: not logged in, or a refresh is under way

    def params(self) -> dict[str, str]:
        self._due_ns = None
        token, self._refresh_token = self._refresh_token, None
        self.was_refresh = token is not None
        if token is not None:
            return {"grant_type": "refresh_token", "refresh_token": token}
        own = self._credentials
        return {"grant_type": "client_credentials", "client_id": own.client_id, "client_secret": own.client_secret}

    def forget(self) -> None:
        self._refresh_token = self._due_ns = None

    def granted(self, refresh_token: str | None, expires_in: int, now_ns: int) -> None:
        """``expires_in``: seconds."""
        self._refresh_token = refresh_token
        self._due_ns = now_ns + int(expires_in * _REFRESH_AT * SECOND)

    def is_due(self, now_ns: int) -> bool:
        return self._due_ns is not None and now_ns >= self._due_ns

    def hidden(self, frame: bytes) -> bytes:
        """``frame`` without tokens and without the secret."""
        if b"_token" in frame:
            frame = _TOKENS.sub(rb"\1***", frame)
        return frame.replace(self._credentials.client_secret.encode(), b"***")
