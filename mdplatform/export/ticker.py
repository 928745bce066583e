"""What is known of a derivative after each statement of it: funding, prices and open interest as one state."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from operator import itemgetter
from typing import Any

from mdplatform.export.source import Piece, Source, records
from mdplatform.read.changes import ns_of

DATASETS = ("funding", "open_interest")
# Columns of the two, of which each row states some.
FIELDS = ("next_funding_time", "rate", "predicted_rate", "open_interest", "last_price", "index_price", "mark_price")
# Both are stated again at least so often: what was known at midnight is found in the minutes before.
RESTATED = timedelta(minutes=10)


class Ticker:
    """The last that was stated of each field; None before."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = dict.fromkeys(FIELDS)

    def take(self, row: dict[str, Any]) -> bool:
        """Whether this row of one of the datasets changes anything."""
        stated = {name: row[name] for name in FIELDS if row.get(name) is not None}
        changes = any(self.state[name] != value for name, value in stated.items())
        self.state |= stated
        return changes


def tickers(source: Source, piece: Piece) -> Iterator[dict[str, Any]]:
    """The state with its times, after each row of the piece that changes it. Raises WarehouseError, ArchiveError."""
    ticker = Ticker()
    before = replace(piece, start=piece.start - RESTATED, end=piece.start)
    start_ns = ns_of(piece.start)
    for row in heapq.merge(*_rows(source, before, piece), key=itemgetter("received_time")):
        if ticker.take(row) and row["received_time"] >= start_ns:
            yield {name: row[name] for name in ("venue_time", "received_time")} | ticker.state


def _rows(source: Source, before: Piece, piece: Piece) -> Iterator[Iterator[dict[str, Any]]]:
    """Of funding all; of open interest what there is, which older archives have none of."""
    for dataset in DATASETS:
        early = source.rows(before, dataset, partial=True)
        yield records(early)
        yield records(source.rows(piece, dataset, partial=dataset != piece.dataset))
