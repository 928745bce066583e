"""Which loopback port a service gets: the one it had, else the customary one, else any free one."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def choose(*preferred: int) -> int:
    """The first of ``preferred`` that is free on loopback (0 entries are passed over), else a free port."""
    for port in preferred:
        if port and _is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port_given: int = probe.getsockname()[1]
        return port_given


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT is free to a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
