"""``mdplatform metrics``: one port a host, where Prometheus finds its collectors and all consumer lags."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import uvicorn
from prometheus_client import ProcessCollector
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mdplatform.collector import pauses
from mdplatform.core.browsers import ForeignPagesRefused
from mdplatform.core.listening import listen, url_of
from mdplatform.core.settings import Settings
from mdplatform.core.shards import parse
from mdplatform.metrics import measures
from mdplatform.metrics.collectors import collector_families
from mdplatform.metrics.lags import Lags
from mdplatform.metrics.measures import CONTENT_TYPE, exposition
from mdplatform.venues import venue_ids


def build(settings: Settings) -> Starlette:
    """The application: ``/metrics`` and nothing else. Raises ConfigError."""
    wanted = parse(settings.ingest, venue_ids(), settings.collectors)
    data_dir, lags, own = Path(settings.data_dir).absolute(), Lags(settings), ProcessCollector(registry=None)

    async def metrics(_: Request) -> Response:
        paused = pauses.read(settings.data_dir)
        running = [shard for shard in wanted if shard.venue not in paused]
        families = [*collector_families(data_dir, running, time.time()), *await lags.families(), *own.collect()]
        families.append(measures.VENUE_PAUSED.of(((venue,), 1.0) for venue in paused))
        return Response(exposition(families), media_type=CONTENT_TYPE)

    guard = Middleware(ForeignPagesRefused, hosts=settings.host_names(), links=True)
    return Starlette(routes=[Route("/metrics", metrics)], middleware=[guard])


def run(settings: Settings, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``on_ready`` gets the address. Port 0: a free one. Raises ConfigError."""
    app = build(settings)
    with listen(host, port, "metrics") as listener:
        on_ready(f"{url_of(listener)}/metrics")
        config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="off", server_header=False)
        uvicorn.Server(config).run(sockets=[listener])
