"""The collectors' connections: their last counters, and what these make a second."""

from __future__ import annotations

from typing import Any

import msgspec

from mdplatform.dashboard.messages import StatsMessage

MAX_CONNECTIONS = 200

_RATED = ("frames", "events", "bytes")

Sent = dict[tuple[str, str], dict[str, Any]]  # what a browser has: the counters by exchange and connection


class Connections:
    """The latest counters of each connection; the one that has been silent longest makes room."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], dict[str, Any]] = {}

    def take(self, stats: StatsMessage) -> None:
        key = (stats.exchange, stats.conn)
        before = self._shown.pop(key, None)
        shown = msgspec.structs.asdict(stats)
        self._shown[key] = {**shown, **_rates(before, shown)}
        if len(self._shown) > MAX_CONNECTIONS:
            del self._shown[next(iter(self._shown))]

    def changes(self, sent: Sent) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
        """Counters that differ from what ``sent`` holds, and connections that are gone. Updates ``sent``."""
        changed = [(key, stats) for key, stats in sorted(self._shown.items()) if sent.get(key) is not stats]
        gone = [key for key in sent if key not in self._shown]
        sent.update(changed)
        for key in gone:
            del sent[key]
        return [stats for _, stats in changed], gone


def _rates(before: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, float]:
    """``frames_s``, ``events_s`` and ``bytes_s``; none after a restart, which counts from nothing again."""
    if before is None or now["ts"] <= before["ts"] or any(now[name] < before[name] for name in _RATED):
        return {}
    seconds = (now["ts"] - before["ts"]) / 1000
    return {f"{name}_s": (now[name] - before[name]) / seconds for name in _RATED}
