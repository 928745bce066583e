"""One file of a venue's archive into the warehouse, once: proven before it is read, and known by its checksum after."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import ArchiveError, ConfigError
from mdplatform.history import bybit
from mdplatform.history.download import download, fetch, published_sha256
from mdplatform.history.layout import BOOK_FILES, HistoryFile
from mdplatform.history.rows import batches, rows_by_day
from mdplatform.history.wanted import Wanted
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import warehouse_errors

log = logging.getLogger(__name__)

TRADES = "md_trades_store"
BOOKS = "md_book_increments_store"
FORGETS = {TRADES: "history_trades_forget", BOOKS: "history_books_forget"}


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

        1. leave a known file alone, where the venue states checksums one whose checksum is the same, 2. fetch it and
        prove it, 3. forget what an earlier version of it said, 4. store its rows, 5. note it. A run that dies in
        between does it again: equal rows collapse. Raises FeedError, ArchiveError, WarehouseError.
        """
        url = f"{self.base_url}/{file.path}"
        named = {"symbol": symbol, "target": table, "path": file.path}
        known = next(iter(queries.run(self.client, "history_file", **named)), None)
        sha256 = published_sha256(url) if file.has_checksum else None
        if file.has_checksum and sha256 is None:
            return None
        if known and sha256 in (known["sha256"], None) and not self.again:  # 1.
            return Loaded(file, known["sha256"], known["days"], fresh=False)
        if table == BOOKS:
            self._refuse_beside_live(file, symbol)
        fetched = (download(url, sha256, self.folder), sha256) if sha256 else fetch(url, self.folder)  # 2.
        if fetched is None:
            return None
        path, proven = fetched
        if known and table in FORGETS:  # 3.
            self._forget(file, symbol, table)
        days = self._store(path, file, symbol, table)  # 4.
        noted = {"exchange": file.venue, "sha256": proven, "days": list(days), "counts": list(days.values())}
        queries.command(self.client, "history_file_loaded", **noted, **named)  # 5.
        path.unlink()
        return Loaded(file, proven, days, fresh=True)

    def _store(self, path: Path, file: HistoryFile, symbol: str, table: str) -> dict[str, int]:
        """Insert the rows; gives how many each day has."""
        days: Counter[str] = Counter()
        try:
            for batch in _rows(path, file, symbol, table):
                rows = received(batch) if table == TRADES else batch
                with warehouse_errors(self.client.uri, f"store {file.path}"):
                    self.client.insert_arrow(table, rows)
                days.update(rows_by_day(batch))
        except ArchiveError:
            if not file.has_checksum:  # it may be two halves of different versions
                path.unlink()
            raise
        return dict(sorted(days.items()))

    def _forget(self, file: HistoryFile, symbol: str, table: str) -> None:
        queries.command(self.client, FORGETS[table], exchange=file.venue, symbol=symbol, **_span(file))

    def _refuse_beside_live(self, file: HistoryFile, symbol: str) -> None:
        """A feed of another depth has numbers of its own: two chains in one table would be no book."""
        found = queries.run(self.client, "history_books_live", exchange=file.venue, symbol=symbol, **_span(file))
        if found[0]["rows"]:
            raise ArchiveError(
                f"{file.path}: {found[0]['rows']} changes of this book were collected live on that day, with other "
                "numbers; nothing was loaded"
            )


def _rows(path: Path, file: HistoryFile, symbol: str, table: str) -> Iterator[pa.Table]:
    """The file's rows in the columns of ``table``."""
    if file.kind in BOOK_FILES:
        return bybit.books(path, file.path, symbol, file.venue_symbol)
    if file.venue == bybit.EXCHANGE:
        return bybit.trades(path, file.path, symbol)
    return batches(path, file, symbol, as_trades=table == TRADES)


def _span(file: HistoryFile) -> dict[str, datetime]:
    days = file.period.days
    first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (days[0], days[-1]))
    return {"first": first, "last": last + timedelta(days=1)}


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
