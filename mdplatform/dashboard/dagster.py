"""What Dagster says of hours, checks and runs, and where a reader of the page finds it there.

It is read as Prometheus reads it, on ``/metrics`` of Dagster's webserver: the page knows no Dagster.
"""

from __future__ import annotations

import threading
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from mdplatform.core.legible import legible
from mdplatform.core.settings import hide

KEPT_MS = 15_000
TIMEOUT_S = 5.0
MOST_BYTES = 1_000_000
MOST_LISTED = 50
RUNS = ("mdplatform_runs", "mdplatform_runs_recently_ended")


class Dagster:
    """``urls``: the address that browsers know, and after a blank the page's own where that is another; or nothing."""

    def __init__(self, urls: str) -> None:
        shown, _, own = urls.strip().partition(" ")
        self.url = shown.rstrip("/")
        self._metrics = f"{(own.strip() or shown).rstrip('/')}/metrics" if shown else ""
        self._known: tuple[int, dict[str, Any]] = (-KEPT_MS, {})
        self._reading = threading.Lock()

    def known(self, now_ms: int) -> dict[str, Any]:
        """``url``, and hours not built, failing checks, stale assets and runs; or ``cause`` where it does not answer.

        Read every 15 seconds at most, for all who look.
        """
        if not self._metrics:
            return {"url": "", "cause": "MDPLATFORM_DAGSTER_URL is not set"}
        with self._reading:
            read_ms, known = self._known
            if not 0 <= now_ms - read_ms < KEPT_MS:
                known = {"url": self.url, **self._read()}
                self._known = (now_ms, known)
            return known

    def _read(self) -> dict[str, Any]:
        # A proxy would not reach loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self._metrics, timeout=TIMEOUT_S) as answer:
                return parsed(answer.read(MOST_BYTES).decode())
        except (OSError, ValueError) as error:
            return {"cause": legible(f"Dagster at {hide(self._metrics)} does not answer: {error}")}


def parsed(text: str) -> dict[str, Any]:
    """The page's part of an exposition. Raises ValueError for what is none."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    behind = [sample.value for sample in samples if sample.name == "mdplatform_unbuilt_partitions"]
    checks = [sample for sample in samples if sample.name == "mdplatform_check_failing_partitions"]
    runs = [
        {"job": sample.labels["job"], "status": sample.labels["status"], "count": int(sample.value)}
        for sample in samples
        if sample.name in RUNS
    ]
    return {
        "behind": int(behind[0]) if behind else None,
        "checks": len(checks),
        "failing": [{**sample.labels, "hours": int(sample.value)} for sample in checks if sample.value][:MOST_LISTED],
        "stale": [s.labels["asset"] for s in samples if s.name == "mdplatform_asset_stale" and s.value][:MOST_LISTED],
        "runs": runs[:MOST_LISTED],
    }
