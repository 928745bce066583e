"""One file of a venue's archive into the warehouse, once: proven before it is read, and known by its checksum after."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import ConfigError
from mdplatform.history.download import download, published_sha256
from mdplatform.history.layout import HistoryFile
from mdplatform.history.rows import batches, rows_by_day
from mdplatform.history.wanted import Wanted
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import warehouse_errors

log = logging.getLogger(__name__)

TRADES = "md_trades_store"


@dataclass(frozen=True)
class Loaded:
    """A file whose rows are all stored; ``fresh`` False: they were already. ``days``: rows by ISO day."""

    file: HistoryFile
    sha256: str
    days: Mapping[str, int]
    fresh: bool


@dataclass(frozen=True)
class Loader:
    """Loads files of ``base_url`` by way of ``folder``; ``again``: also those whose checksum is known."""

    client: Client
    base_url: str
    folder: Path
    again: bool = False

    def load(self, file: HistoryFile, symbol: str, table: str) -> Loaded | None:
        """All rows of the file in ``table``; None where the venue has published no such file.

        1. ask for the checksum, 2. leave a known file alone, 3. fetch and prove it, 4. forget what an earlier version
        of it said, 5. store its rows, 6. note it. A run that dies in between does it again: equal rows collapse.
        Raises FeedError, ArchiveError, WarehouseError.
        """
        url = f"{self.base_url}/{file.path}"
        sha256 = published_sha256(url)  # 1.
        if sha256 is None:
            return None
        named = {"symbol": symbol, "target": table, "path": file.path}
        known = next(iter(queries.run(self.client, "history_file", **named)), None)
        if known and known["sha256"] == sha256 and not self.again:  # 2.
            return Loaded(file, sha256, known["days"], fresh=False)
        path = download(url, sha256, self.folder)  # 3.
        if known and table == TRADES:  # 4.
            self._forget_trades(file, symbol)
        days = self._store(path, file, symbol, table)  # 5.
        noted = {"exchange": file.venue, "sha256": sha256, "days": list(days), "counts": list(days.values())}
        queries.command(self.client, "history_file_loaded", **noted, **named)  # 6.
        path.unlink()
        return Loaded(file, sha256, days, fresh=True)

    def _store(self, path: Path, file: HistoryFile, symbol: str, table: str) -> dict[str, int]:
        """Insert the rows; gives how many each day has."""
        days: Counter[str] = Counter()
        for batch in batches(path, file, symbol, as_trades=table == TRADES):
            rows = received(batch) if table == TRADES else batch
            with warehouse_errors(self.client.uri, f"store {file.path}"):
                self.client.insert_arrow(table, rows)
            days.update(rows_by_day(batch))
        return dict(sorted(days.items()))

    def _forget_trades(self, file: HistoryFile, symbol: str) -> None:
        days = file.period.days
        first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (days[0], days[-1]))
        span = {"first": first, "last": last + timedelta(days=1)}
        queries.command(self.client, "history_trades_forget", exchange=file.venue, symbol=symbol, **span)


def received(trades: pa.Table) -> pa.Table:
    """With what md_trades says of a trade's way here: received now, so that one received live stays in its place."""
    now = pa.scalar(datetime.now(UTC), pa.timestamp("ns", tz="UTC"))
    return trades.append_column("received_at", pa.repeat(now, trades.num_rows))


def venue_name(client: Client, wanted: Wanted) -> str:
    """What the venue calls the instrument: as the setting says, else by its last list. Raises ConfigError."""
    if wanted.venue_symbol:
        return wanted.venue_symbol
    rows = queries.run(client, "history_names", exchange=wanted.venue, symbol=wanted.symbol)
    if len(rows) != 1:
        raise ConfigError(
            f"md_instruments has {len(rows)} instruments {wanted.symbol} of {wanted.venue}: collect it once, or write "
            f"MDPLATFORM_HISTORY={wanted.venue}:{wanted.symbol}=<the venue's name>"
        )
    return str(rows[0]["venue_symbol"])
