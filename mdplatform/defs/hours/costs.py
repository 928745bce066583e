"""What a part of each hour of a run costs, noted by the hundred: an insert an hour took a fiftieth of a backfill."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import WarehouseError
from mdplatform.warehouse import queries

AT_ONCE = 100  # hours that one insert notes: they travel in its address


@dataclass
class Costs:
    """Those of one part, to be kept in the warehouse, where pages and reports find them."""

    client: Client
    part: str
    _hours: list[tuple[datetime, float, int, int]] = field(default_factory=list)

    def add(self, hour: datetime, seconds: float, rows: int = 0, bytes: int = 0) -> None:
        """``rows`` that it made, and their ``bytes``, 0 where they are no files. Raises WarehouseError."""
        self._hours.append((hour, seconds, rows, bytes))
        if len(self._hours) == AT_ONCE:
            self.note()

    def note(self) -> None:
        """Keep what was added. Raises WarehouseError."""
        if self._hours:
            hours, seconds, rows, sizes = map(list, zip(*self._hours, strict=True))
            columns = {"hours": hours, "seconds": seconds, "rows": rows, "bytes": sizes}
            queries.command(self.client, "cost_note", part=self.part, **columns)
            self._hours.clear()


@contextlib.contextmanager
def noted_costs(client: Client, part: str) -> Iterator[Costs]:
    """Costs that are kept at the end as well, also of a run that ends early. Raises WarehouseError."""
    costs = Costs(client, part)
    try:
        yield costs
    except BaseException:
        with contextlib.suppress(WarehouseError):  # which may be what the run failed of
            costs.note()
        raise
    costs.note()
