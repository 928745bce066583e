"""What the live page says to Prometheus: what it reads, of whom, and who looks at it."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import Metric

from mdplatform.dashboard.stream import Sources
from mdplatform.metrics import measures

_OWN = ProcessCollector(registry=None)


def page_families(sources: Sources, browsers: int, now_ms: int) -> Iterator[Metric]:
    """The page's state now."""
    board, last_ms = sources.board, sources.broker.last_message_ms
    reached = {"broker": sources.broker.reach, "warehouse": sources.warehouse}
    yield measures.BROWSERS.of([((), browsers)])
    yield measures.PAGE_FEEDS.of(board.states(now_ms).items())
    yield measures.PAGE_MESSAGES.of([((), board.messages)])
    passed = board.passed_over.counts()
    yield measures.PAGE_PASSED.of(((dataset, reason), n) for dataset, of in passed.items() for reason, n in of.items())
    yield measures.PAGE_LEFT_OUT.of([((), board.left_out)])
    yield measures.PAGE_REACHES.of(((name,), reach.state == "reachable") for name, reach in reached.items())
    yield measures.PAGE_LAST.of([((), last_ms / 1000)] if last_ms is not None else [])
    yield from _OWN.collect()
