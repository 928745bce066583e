"""One file of a venue's archive into the warehouse, once: proven before it is read, and known by its checksum after."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from msgspec.structs import replace

from mdplatform.core.errors import ArchiveError, ConfigError
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.history.layout import HistoryFile
from mdplatform.history.publisher import Note
from mdplatform.history.rows import rows_by_day
from mdplatform.history.wanted import Wanted
from mdplatform.venues import venue
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import warehouse_errors

log = logging.getLogger(__name__)

IN_BASE_UNITS = ("binance-usdm", "bybit")  # venues whose contracts (of bybit those that are read) are base units
TRADES = "md_trades_store"
BOOKS = "md_book_increments_store"
QUOTES = "md_quotes_store"
FORGETS = {
    TRADES: ("history_trades_forget", "history_archived_forget"),
    BOOKS: ("history_books_forget",),
    QUOTES: ("history_quotes_forget",),
}


@dataclass(frozen=True)
class Loaded:
    """A file whose rows are all stored; ``fresh`` False: they were already. ``days``: rows by ISO day."""

    file: HistoryFile
    sha256: str
    days: Mapping[str, int]
    fresh: bool
    notes: Sequence[str] = ()  # what is odd about it and no fault


@dataclass(frozen=True)
class Loader:
    """Loads files of ``base_url`` by way of ``folder``; ``again``: also those whose checksum is known."""

    client: Client
    base_url: str
    folder: Path
    again: bool = False

    def load(self, file: HistoryFile, instrument: Instrument, table: str) -> Loaded | None:
        """All rows of the file in ``table``; None where the venue has published no such file.

        1. leave a known file alone, where the venue states checksums one whose checksum is the same, 2. fetch it and
        prove it, 3. forget what an earlier version of it said, 4. store its rows, 5. note it. A run that dies in
        between does it again: equal rows collapse. Raises FeedError, ArchiveError, WarehouseError.
        """
        publisher, symbol = file.publisher, instrument.symbol
        named = {"symbol": symbol, "target": table, "path": file.path}
        known = next(iter(queries.run(self.client, "history_file", **named)), None)
        sha256 = publisher.sha256(self.base_url, file) if publisher.has_checksums else None
        if publisher.has_checksums and sha256 is None:
            return None
        if known and sha256 in (known["sha256"], None) and not self.again:  # 1.
            return Loaded(file, known["sha256"], known["days"], fresh=False)
        if table == BOOKS:
            self._refuse_beside_live(file, symbol)
        brought = publisher.bring(self.base_url, file, instrument, self.folder, sha256)  # 2.
        if brought is None:
            return None
        if known:  # 3.
            self._forget(file, symbol, table)
        notes: list[str] = []
        days = self._store(brought.paths, file, instrument, table, notes.append)  # 4.
        noted = {"exchange": file.venue, "sha256": brought.sha256, "days": list(days), "counts": list(days.values())}
        queries.command(self.client, "history_file_loaded", **noted, **named)  # 5.
        _remove(brought.paths)
        return Loaded(file, brought.sha256, days, fresh=True, notes=notes)

    def _store(
        self, paths: Sequence[Path], file: HistoryFile, instrument: Instrument, table: str, note: Note
    ) -> dict[str, int]:
        """Insert the rows; gives how many each day has."""
        days: Counter[str] = Counter()
        try:
            for batch in file.publisher.rows(paths, file, instrument, table == TRADES, note):
                rows = received(batch) if table in (TRADES, QUOTES) else batch
                with warehouse_errors(self.client.uri, f"store {file.path}"):
                    self.client.insert_arrow(table, rows)
                days.update(rows_by_day(batch))
        except ArchiveError:
            if not file.publisher.has_checksums:  # it may be two halves of different versions
                _remove(paths)
            raise
        return dict(sorted(days.items()))

    def _forget(self, file: HistoryFile, symbol: str, table: str) -> None:
        for query in FORGETS.get(table, ()):
            queries.command(self.client, query, exchange=file.venue, symbol=symbol, **_span(file))

    def _refuse_beside_live(self, file: HistoryFile, symbol: str) -> None:
        """A feed of another depth has numbers of its own: two chains in one table would be no book."""
        found = queries.run(self.client, "history_books_live", exchange=file.venue, symbol=symbol, **_span(file))
        if found[0]["rows"]:
            raise ArchiveError(
                f"{file.path}: {found[0]['rows']} changes of this book were collected live on that day, with other "
                "numbers; nothing was loaded"
            )


def _span(file: HistoryFile) -> dict[str, datetime]:
    return {"first": file.period.begin, "last": file.period.end}


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def received(rows: pa.Table) -> pa.Table:
    """With what the table says of a row's way here: received now, so that one received live stays in its place."""
    now = pa.scalar(datetime.now(UTC), pa.timestamp("ns", tz="UTC"))
    return rows.append_column("received_at", pa.repeat(now, rows.num_rows))


def listed(client: Client, wanted: Wanted) -> Instrument:
    """The instrument as the venue last listed it, by the venue's name that the setting says, if any.

    Raises ConfigError where that name, or what its sizes count, is not known.
    """
    rows = queries.run(client, "history_names", exchange=wanted.venue, symbol=wanted.symbol)
    if wanted.venue_symbol:
        rows = [row for row in rows if row["venue_symbol"] == wanted.venue_symbol]
    if len(rows) == 1:
        return Instrument(exchange=wanted.venue, **rows[0])
    if wanted.venue_symbol and not rows:
        return _composed(wanted, wanted.venue_symbol)
    raise ConfigError(
        f"md_instruments has {len(rows)} instruments {wanted.symbol} of {wanted.venue}: collect it once, or write "
        f"MDPLATFORM_HISTORY={wanted.venue}:{wanted.symbol}=<the venue's name>"
    )


def _composed(wanted: Wanted, venue_symbol: str) -> Instrument:
    """One that was never collected: as known without a list, else as its symbol says where sizes are base units."""
    known = next((one for one in venue(wanted.venue).known_instruments() if one.symbol == wanted.symbol), None)
    if known is not None:
        return replace(known, venue_symbol=venue_symbol)
    base, quote, *rest = wanted.symbol.split("-")
    if rest and wanted.venue not in IN_BASE_UNITS:
        raise ConfigError(
            f"what a contract of {wanted.symbol} at {wanted.venue} is worth is not known: collect it once"
        )
    kind = Kind.SPOT if not rest else Kind.PERPETUAL if rest == ["PERP"] else Kind.FUTURE
    expiry = rest[0] if kind == Kind.FUTURE else None
    return Instrument(
        exchange=wanted.venue, venue_symbol=venue_symbol, base=base, quote=quote, kind=kind, expiry=expiry
    )
