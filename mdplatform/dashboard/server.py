"""Serve the live page until it is stopped."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn

from mdplatform.core.errors import ConfigError
from mdplatform.core.listening import is_loopback, listen, url_of
from mdplatform.core.settings import Settings
from mdplatform.dashboard.app import build
from mdplatform.dashboard.board import Board
from mdplatform.dashboard.dagster import Dagster
from mdplatform.dashboard.history import History
from mdplatform.dashboard.reader import Reader
from mdplatform.dashboard.requests import BoundedRequests


class Dashboard:
    """The page on a socket of its own: listening once constructed, answering while ``serve`` runs."""

    def __init__(self, settings: Settings, host: str = "127.0.0.1", port: int = 0) -> None:
        if not settings.dashboard_token and not is_loopback(host):
            raise ConfigError(f"listening on {host} needs MDPLATFORM_DASHBOARD_TOKEN; only loopback does without")
        self._socket = listen(host, port, "the live page")
        self._reader = Reader(settings, Board())
        self._history = History(settings)
        token, hosts = settings.dashboard_token, settings.host_names()
        dagster = Dagster(settings.dagster_url)
        app = build(self._reader, self._history, dagster, token, hosts, lambda: self._server.should_exit)
        # No access log: its lines would hold the token of ?token=.
        config = uvicorn.Config(
            app,
            http=BoundedRequests,
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            server_header=False,
        )
        self._server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        return url_of(self._socket)

    def serve(self) -> None:
        """Blocks until ``stop`` (in the main thread SIGINT or SIGTERM too), then ends the streams and the reader."""
        self._reader.start()
        self._history.start()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._history.stop()
            self._reader.stop()
            self._socket.close()

    def stop(self) -> None:
        """End ``serve``; from any thread."""
        self._server.should_exit = True


def run(
    settings: Settings, host: str = "127.0.0.1", port: int = 0, on_ready: Callable[[str], None] = lambda url: None
) -> None:
    """Serve until SIGINT or SIGTERM; ``on_ready`` gets the address once it accepts connections. Port 0: a free one.

    Raises ConfigError when the address cannot be listened on, or is open to others and there is no token.
    """
    dashboard = Dashboard(settings, host, port)
    on_ready(dashboard.url)
    dashboard.serve()
