"""A listening socket of ours."""

from __future__ import annotations

import ipaddress
import os
import socket

from mdplatform.core.errors import ConfigError


def listen(host: str, port: int, who: str = "", backlog: int = 128) -> socket.socket:
    """Raises ConfigError, which begins with ``who``, where the address is taken or none of this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=backlog)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        why = os.strerror(number) if number and number > 0 else str(error)
        raise ConfigError(f"{who} cannot listen on {host}:{port}: {why}".lstrip()) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url_of(listener: socket.socket) -> str:
    """Its address for HTTP."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
