"""Serve until stopped."""

from __future__ import annotations

import uvicorn

from mdplatform.core.errors import ConfigError
from mdplatform.core.listening import is_loopback, listen, url_of
from mdplatform.core.settings import Settings
from mdplatform.export.source import Source
from mdplatform.serve.app import build

MOST_SENT_BYTES = 64 * 1024  # of a message of a client, which sends none


class ReplayServer:
    """On a socket of its own: listening once constructed, answering while ``serve`` runs. Raises ConfigError."""

    def __init__(self, settings: Settings, source: Source, host: str = "127.0.0.1", port: int = 0) -> None:
        if not settings.serve_token and not is_loopback(host):
            raise ConfigError(f"listening on {host} needs MDPLATFORM_SERVE_TOKEN; only loopback does without")
        self._socket = listen(host, port, "the replay server")
        config = uvicorn.Config(
            build(settings, source),
            log_config=None,
            # Its lines, of sockets too, would hold the token of ?token=.
            access_log=False,
            log_level="warning",
            ws="websockets-sansio",
            # As the public server: a message of its own is packed for half of what it costs to send it.
            ws_per_message_deflate=False,
            ws_max_size=MOST_SENT_BYTES,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        self._server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        return url_of(self._socket)

    def serve(self) -> None:
        """Blocks until ``stop``, in the main thread SIGINT or SIGTERM too."""
        with self._socket:
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End ``serve``; from any thread."""
        self._server.should_exit = True
