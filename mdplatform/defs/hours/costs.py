"""What a part of each hour of a run cost, noted at once: an insert an hour took a fiftieth of a backfill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from mdplatform.warehouse import queries

AT_ONCE = 100  # hours that one insert notes: they travel in its address


@dataclass(frozen=True)
class Cost:
    """The seconds that a part of an hour took, the rows that it made, and their bytes: 0 where they are no files."""

    hour: datetime
    seconds: float
    rows: int = 0
    bytes: int = 0


def note_costs(client: Client, part: str, costs: Sequence[Cost]) -> None:
    """Keep them in the warehouse, where pages and reports find them. Raises WarehouseError."""
    for begin in range(0, len(costs), AT_ONCE):
        some = costs[begin : begin + AT_ONCE]
        columns = {
            "hours": [cost.hour for cost in some],
            "seconds": [cost.seconds for cost in some],
            "rows": [cost.rows for cost in some],
            "bytes": [cost.bytes for cost in some],
        }
        queries.command(client, "cost_note", part=part, **columns)
