"""Trades that a venue lists by REST, page by page: kept as a file until they are whole, so that a break costs a page.

What the file holds is past and does not change: a run that goes on with another's begin gets the same file. Calls keep
to the venue's budget. All of these venues number an instrument's trades one by one: what is missing is seen.
"""

from __future__ import annotations

import hashlib
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from mdplatform.core.events import Side, Trade
from mdplatform.core.symbols import Instrument
from mdplatform.history.download import get, sha256_of
from mdplatform.history.files import Kind, PublishedFile
from mdplatform.history.publisher import Brought, Note, Publisher, told, whose
from mdplatform.venuekit.contract_sizes import contract_sizes_of
from mdplatform.venues import venue

ROWS_A_BATCH = 50_000
Ask = Callable[[str], bytes]


class Span(NamedTuple):
    """From ``begin_ns`` to before ``end_ns``."""

    begin_ns: int
    end_ns: int

    def holds(self, at_ns: int) -> bool:
        return self.begin_ns <= at_ns < self.end_ns


class Row(NamedTuple):
    """One trade of a page; ``number`` counts up by one from trade to trade of the instrument."""

    number: int
    id: str
    price: str
    size: str
    side: Side
    venue_ns: int


class Listing(Publisher):
    """A venue whose past trades are a REST list."""

    exchange: str

    @abstractmethod
    def first_page(self, ask: Ask, instrument: Instrument, span: Span) -> str:
        """The path of the call that the span begins with; it may ``ask`` where that is."""

    @abstractmethod
    def next_page(self, body: bytes, instrument: Instrument, span: Span) -> str | None:
        """That of the call after one that gave ``body``; None where this was the last."""

    @abstractmethod
    def read(self, body: bytes) -> list[Row]:
        """The trades of a page, in any order; raises FrameError or what msgspec raises."""

    def path(self, file: PublishedFile) -> str:
        return f"trades/{file.venue_symbol}/{file.period}"

    def bring(
        self, base_url: str, file: PublishedFile, instrument: Instrument, folder: Path, sha256: str | None
    ) -> Brought | None:
        folder.mkdir(parents=True, exist_ok=True)
        named = hashlib.sha256(f"{base_url}/{self.exchange}/{self.path(file)}".encode()).hexdigest()[:16]
        target = folder / f"{named}-{self.exchange}-{file.venue_symbol.replace('/', '_')}-{file.period}.jsonl"
        if not target.exists():
            part = target.with_suffix(".part")
            with told(name(file)):
                self._page(part, self._asker(base_url), instrument, span_of(file))
            part.replace(target)
        return Brought((target,), sha256_of(target))

    def rows(
        self, paths: Sequence[Path], file: PublishedFile, instrument: Instrument, as_trades: bool, note: Note
    ) -> Iterator[pa.Table]:
        span, numbers, batch = span_of(file), set[int](), list[Row]()
        with paths[0].open("rb") as pages, told(name(file)):
            for body in pages:
                new = [row for row in self.read(body) if row.number not in numbers and span.holds(row.venue_ns)]
                numbers.update(row.number for row in new)
                batch += new
                if len(batch) >= ROWS_A_BATCH:
                    yield _table(batch, instrument)
                    batch = []
            if batch:
                yield _table(batch, instrument)
        if missing := _missing(numbers):
            note(f"{name(file)}: {missing}")

    def _asker(self, base_url: str) -> Ask:
        calls, seconds = venue(self.exchange).rest_budget
        next_at = time.monotonic()

        def ask(path: str) -> bytes:
            nonlocal next_at
            time.sleep(max(0.0, next_at - time.monotonic()))
            next_at = time.monotonic() + seconds / calls
            return get(base_url + path)

        return ask

    def _page(self, part: Path, ask: Ask, instrument: Instrument, span: Span) -> None:
        """Write a line for each page that is missing."""
        last = _whole_lines(part)
        path = self.first_page(ask, instrument, span) if last is None else self.next_page(last, instrument, span)
        with part.open("ab") as file:
            while path is not None:
                body = ask(path)
                self.read(body)  # what is no page is not kept
                file.write(body.replace(b"\n", b" ") + b"\n")
                file.flush()
                path = self.next_page(body, instrument, span)


def name(file: PublishedFile) -> str:
    return f"the trades of {file.venue_symbol} of {file.venue} of {file.period}"


def span_of(file: PublishedFile) -> Span:
    return Span(round(file.period.begin.timestamp()) * 10**9, round(file.period.end.timestamp()) * 10**9)


def trade_kinds(kind: Kind | None, has_trades: bool) -> tuple[Kind, ...]:
    """Of a venue that has nothing but trades."""
    return ("trades",) if kind is None and has_trades else ()


def is_spot(symbol: str) -> bool:
    return symbol.count("-") == 1


def _whole_lines(part: Path) -> bytes | None:
    """The last whole line; what a break left behind it is cut off. None where there is none."""
    if not part.exists():
        return None
    text = part.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        part.write_bytes(whole)
    return whole.splitlines()[-1] if whole else None


def _missing(numbers: set[int]) -> str:
    """What the venue did not list, in words; "" where all numbers are there."""
    if not numbers:
        return ""
    first, last = min(numbers), max(numbers)
    lost = last - first + 1 - len(numbers)
    if not lost:
        return ""
    one = next(number for number in range(first, last) if number not in numbers)
    return f"of the numbers {first} to {last} the venue lists all but {lost}, {one} the first of them"


def _table(rows: Sequence[Row], instrument: Instrument) -> pa.Table:
    """In the columns of md_trades."""
    units = contract_sizes_of(instrument)
    trades = [
        Trade(instrument.exchange, instrument.symbol, row.id, row.price, row.size, row.side, row.venue_ns, 0, "archive")
        for row in rows
    ]
    if units is not None:
        trades = [units.trade(trade) for trade in trades]
    at = pa.array([trade.venue_ns for trade in trades], pa.int64())
    columns: dict[str, pa.Array] = {
        "id": pa.array([trade.id for trade in trades]),
        "price": pa.array([float(trade.price) for trade in trades]),
        "qty": pa.array([float(trade.size) for trade in trades]),
        "side": pa.array([trade.side for trade in trades]),
        "timestamp": pa.array([trade.venue_ns // 1_000_000 for trade in trades], pa.timestamp("ms", "UTC")),
        "venue_time": at.cast(pa.timestamp("ns", "UTC")),
    }
    if units is not None:
        columns["raw_size"] = pa.array([float(row.size) for row in rows])
    return whose(instrument.exchange, instrument.symbol, columns)
