"""The command that answers tardis-machine's protocol: serve."""

from __future__ import annotations

import sys

import click

from mdplatform import cli


@click.command(epilog="Example: mdplatform serve --port 8000 --source archive")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Beyond loopback, MDPLATFORM_SERVE_TOKEN is required."
)
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="0: a free one.")
@click.option("--source", default="clickhouse", show_default=True, help="clickhouse, archive, or an archive's address.")
def serve(host: str, port: int, source: str) -> None:
    """Serve what was recorded, and what is recorded now, to clients of tardis-machine.

    /replay-normalized and /replay over HTTP as lines of JSON, /ws-replay-normalized and /ws-stream-normalized over
    WebSocket, with its options, data types and computed types; several venues in one stream, in order of receipt.
    """
    from mdplatform.archive.open_store import store_at
    from mdplatform.export.source import Source
    from mdplatform.read.rows import CLICKHOUSE, archive_root
    from mdplatform.serve.server import ReplayServer

    settings = cli.settings()
    archive = None if source == CLICKHOUSE else store_at(archive_root(source, settings))
    # Hours that an archive lacks are stated in the stream, by a disconnect.
    server = ReplayServer(settings, Source(settings, archive, partial=True), host, port)
    click.echo(f"replay server at {server.url}")
    sys.stdout.flush()
    server.serve()
