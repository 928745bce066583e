"""The lag of every consumer group, as far as the broker answers in time."""

from __future__ import annotations

import asyncio
import logging

from prometheus_client.core import Metric

from mdplatform.bus.admin import Admin, Lag
from mdplatform.core.errors import BusError
from mdplatform.core.settings import Settings
from mdplatform.metrics import measures

log = logging.getLogger(__name__)

PATIENCE_S = 5.0  # Prometheus gives a whole scrape ten


class Lags:
    """Asks the broker at each scrape, one question at a time: a scrape during the last one's goes without."""

    def __init__(self, settings: Settings) -> None:
        self._admin = Admin(settings)
        self._asking: asyncio.Task[list[Lag]] | None = None

    async def families(self) -> list[Metric]:
        """Without lags where the broker does not answer within five seconds."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(self._lags))
        done, _ = await asyncio.wait((self._asking,), timeout=PATIENCE_S)
        try:
            rows = self._asking.result() if done else None
        except BusError as error:
            log.warning("no lags: %s", error)
            rows = None
        stated = [((row.group, row.topic, str(row.partition)), row) for row in rows or ()]
        return [
            measures.BROKER_UP.of([((), rows is not None)]),
            measures.LAG.of((labels, row.lag) for labels, row in stated),
            measures.OFFSET.of((labels, row.end - row.lag) for labels, row in stated),
        ]

    def _lags(self) -> list[Lag]:
        return [row for group in self._admin.groups() for row in self._admin.lag(group)]
