"""OKX's past: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-historical-market-data

A call names the files of an instrument or its family; a file of trades appears two days later, one of books three.
Trades: a zipped CSV whose day is that of UTC+8, as in all files that clients describe, so that a day of UTC is in two
of them; its header is in English, or in English and Chinese (GBK, until 2022 or so); sizes count contracts. Books of
400 levels: a tar.gz with a JSON object a line for each snapshot (one at the begin, more every quarter of an hour) and
each update, by days of UTC (reported by clients), without the numbers of the socket: an update that is missing does not
show by itself, so each further snapshot is compared with what the updates made of the one before.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256 as sha256_hash
from pathlib import Path
from typing import IO, Literal
from urllib.parse import urlencode, urlsplit

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mdplatform.core.errors import ArchiveError, FrameError
from mdplatform.core.symbols import Instrument
from mdplatform.history.download import fetch, get
from mdplatform.history.files import Kind, PublishedFile
from mdplatform.history.listed import is_spot
from mdplatform.history.publisher import Brought, Note, Publisher, told, whose
from mdplatform.history.sizes import INVERSE_PLACES, counts_contracts, sized, worth

BASE_URL = "https://www.okx.com"
FILES_HOST = ".okx.com"  # what a file's address must end with
BOOKS: Kind = "L2-400lv"
MODULES: dict[Kind, str] = {"trades": "1", BOOKS: "4"}
ROWS_A_BATCH = 2_000
COMPARED = 20  # levels a side of a snapshot
NAMES = ("trade_id", "side", "size", "price", "created_time")
TYPES = {"trade_id": pa.string(), "side": pa.string(), "size": pa.float64(), "price": pa.float64()}
TYPES |= {"created_time": pa.int64()}
MS, NS = pa.timestamp("ms", "UTC"), pa.timestamp("ns", "UTC")
Levels = list[tuple[float, float]]  # price and size


class Published(msgspec.Struct):
    filename: str
    url: str


class Group(msgspec.Struct):
    groupDetails: list[Published] = []


class Details(msgspec.Struct):
    details: list[Group] = []


class Answer(msgspec.Struct):
    code: str
    msg: str = ""
    data: list[Details] = []


class Line(msgspec.Struct):
    """Of a file of books."""

    instId: str
    action: Literal["snapshot", "update"]
    ts: str
    asks: list[tuple[str, ...]]  # price, size, number of orders; of updates sizes are absolute, 0 deletes
    bids: list[tuple[str, ...]]


_read_answer = msgspec.json.Decoder(Answer).decode
_read_line = msgspec.json.Decoder(Line).decode


class Okx(Publisher):
    def kinds(self, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
        return ("trades",) if kind is None else (BOOKS,) if kind == "ob500" else ()

    def base_url(self, kind: Kind) -> str:
        return BASE_URL

    def path(self, file: PublishedFile) -> str:
        """As the venue calls the file of that day; of trades there is a second one."""
        return _names(file)[0]

    def bring(
        self, base_url: str, file: PublishedFile, instrument: Instrument, folder: Path, sha256: str | None
    ) -> Brought | None:
        found = self._addresses(base_url, file)
        addresses = [found.get(name) for name in _names(file)]
        if None in addresses:
            return None
        fetched = [fetch(url, folder) for url in addresses if url]
        if None in fetched:
            return None
        brought = [one for one in fetched if one]
        known = brought[0][1] if len(brought) == 1 else sha256_hash("".join(s for _, s in brought).encode()).hexdigest()
        return Brought(tuple(path for path, _ in brought), known)

    def rows(
        self, paths: Sequence[Path], file: PublishedFile, instrument: Instrument, as_trades: bool, note: Note
    ) -> Iterator[pa.Table]:
        if file.kind == BOOKS:
            return _books(paths[0], self.path(file), instrument, note)
        named = zip(paths, _names(file), strict=True)
        return (table for path, name in named for table in _trades(path, name, file, instrument))

    def _addresses(self, base_url: str, file: PublishedFile) -> dict[str, str]:
        """Address by name of file, of the days about the one that is asked for."""
        begin, end = file.period.begin - timedelta(days=1), file.period.end + timedelta(days=1)
        family = "-".join(file.venue_symbol.split("-")[:2])
        kind, whose_files = ("SWAP", family) if file.venue_symbol.endswith("-SWAP") else ("FUTURES", family)
        name = "instFamilyList"
        if is_spot(file.venue_symbol):
            kind, name, whose_files = "SPOT", "instIdList", file.venue_symbol
        asked = {"module": MODULES[file.kind], "instType": kind, name: whose_files, "dateAggrType": "daily"}
        asked |= {"begin": f"{begin.timestamp() * 1000:.0f}", "end": f"{end.timestamp() * 1000:.0f}"}
        with told(f"the list of files of {file.venue_symbol} of okx"):
            answer = _read_answer(get(f"{base_url}/api/v5/public/market-data-history?{urlencode(asked)}"))
        if answer.code != "0":
            raise ArchiveError(f"okx does not list its files of {file.venue_symbol}: code {answer.code}: {answer.msg}")
        published = [one for data in answer.data for group in data.details for one in group.groupDetails]
        return {one.filename: _address(one.url, base_url) for one in published}


def _names(file: PublishedFile) -> list[str]:
    days = [file.period.days[0]]
    if file.kind == BOOKS:
        return [f"{file.venue_symbol}-L2orderbook-400lv-{day}.tar.gz" for day in days]
    # A day of UTC begins at 8 in the morning of UTC+8.
    return [f"{file.venue_symbol}-trades-{day}.zip" for day in (*days, days[0] + timedelta(days=1))]


def _address(stated: str, base_url: str) -> str:
    """Where our base address replaces the venue's, it replaces that of the files, too."""
    url = urlsplit(stated)
    if base_url != BASE_URL:
        return f"{base_url}{url.path}"
    if url.scheme != "https" or not f".{url.hostname}".endswith(FILES_HOST):
        raise ArchiveError(f"okx names a file of another host: {stated[:80]!r}; nothing was loaded")
    return stated


def _trades(path: Path, name: str, file: PublishedFile, instrument: Instrument) -> Iterator[pa.Table]:
    """The rows of one file that are of the day of UTC."""
    first, last = (pa.scalar(int(at.timestamp() * 1000)) for at in (file.period.begin, file.period.end))
    with told(name), zipfile.ZipFile(path) as archive:
        inside = [member for member in archive.namelist() if member.endswith(".csv")]
        if len(inside) != 1:
            raise ArchiveError(f"{name} holds {len(inside)} CSV files, not one")
        with archive.open(inside[0]) as member:
            names = _columns(member.readline(), name)
            for batch in _read_csv(member, names):
                at = batch["created_time"]
                of_day = batch.filter(pc.and_(pc.greater_equal(at, first), pc.less(at, last)))
                if of_day.num_rows:
                    yield whose(instrument.exchange, instrument.symbol, sized(instrument, _columns_of(of_day, name)))


def _columns(header: bytes, name: str) -> list[str]:
    """Our words for the columns: ``trade_id`` stands alone, or before its name in Chinese: ``trade_id/...``."""
    names = [cell.strip().partition(b"/")[0].decode(errors="replace") for cell in header.strip().split(b",")]
    names = [each.removeprefix("\ufeff") for each in names]
    missing = [each for each in NAMES if each not in names]
    if missing:
        raise ArchiveError(f"{name}: its header has no {', '.join(missing)}; it reads {','.join(names)[:120]}")
    return names


def _read_csv(member: IO[bytes], names: list[str]) -> csv.CSVStreamingReader:
    return csv.open_csv(
        member,
        read_options=csv.ReadOptions(column_names=names, block_size=16 << 20, use_threads=False),
        convert_options=csv.ConvertOptions(column_types=TYPES, include_columns=list(NAMES), strings_can_be_null=False),
    )


def _columns_of(rows: pa.RecordBatch, name: str) -> dict[str, pa.Array]:
    sides = pc.utf8_lower(rows["side"])
    if not pc.all(pc.is_in(sides, pa.array(["buy", "sell"]))).as_py():
        raise ArchiveError(f"{name} has a side that is neither buy nor sell")
    at = rows["created_time"]
    return {
        "id": rows["trade_id"],
        "price": rows["price"],
        "qty": rows["size"],
        "side": sides,  # the taker's
        "timestamp": at.cast(MS),
        "venue_time": pc.multiply(at, 1_000_000).cast(NS),
    }


class _Book:
    """The levels of a file as its lines make them."""

    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}

    def apply(self, line: Line, factor: float, inverse: bool) -> list[Levels]:
        """The levels of the line, bids and asks, sizes in base units."""
        sides = [_levels(rows, factor, inverse) for rows in (line.bids, line.asks)]
        for side, rows in zip((self.bids, self.asks), sides, strict=True):
            if line.action == "snapshot":
                side.clear()
            for price, size in rows:
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)
        return sides

    def best(self) -> tuple[Levels, Levels]:
        return sorted(self.bids.items(), reverse=True)[:COMPARED], sorted(self.asks.items())[:COMPARED]


def _levels(rows: list[tuple[str, ...]], factor: float, inverse: bool) -> Levels:
    """Inverse contracts are worth so much of quote, each at the price of its level, as of live books."""
    if inverse:
        return [(price, round(float(size) * factor / price, INVERSE_PLACES)) for price, size in _priced(rows)]
    return [(price, round(float(size) * factor, 12)) for price, size in _priced(rows)]


def _priced(rows: list[tuple[str, ...]]) -> Iterator[tuple[float, str]]:
    for row in rows:
        price = float(row[0])
        if not price > 0:
            raise FrameError("bad_number", f"no price: {row[0][:40]!r}")
        yield price, row[1]


def _books(path: Path, name: str, instrument: Instrument, note: Note) -> Iterator[pa.Table]:
    """The file's lines as changes, numbered by their time in ms and their place in it."""
    factor = worth(instrument) if counts_contracts(instrument) else 1.0
    book, batch, number, last_ms = _Book(), list[tuple[Line, list[Levels], int, int | None]](), 0, 0
    compared = differing = 0
    with told(name), _lines(path, name) as lines:
        for text in lines:
            line = _read_line(text)
            at_ms = int(line.ts)
            if line.instId != instrument.venue_symbol or at_ms < last_ms:
                raise ArchiveError(f"{name}: a line of {line.instId} at {at_ms} does not follow one at {last_ms}")
            if not number and line.action != "snapshot":
                raise ArchiveError(f"{name} does not begin with a snapshot")
            previous = number or None
            number, last_ms = max(at_ms * 1000, number + 1), at_ms
            made = book.best() if previous and line.action == "snapshot" else None
            sides = book.apply(line, factor, instrument.inverse)
            if made is not None:
                compared += 1
                differing += made != book.best()
            batch.append((line, sides, number, previous if line.action == "update" else None))
            if len(batch) == ROWS_A_BATCH:
                yield whose(instrument.exchange, instrument.symbol, _changes(batch))
                batch = []
        if batch:
            yield whose(instrument.exchange, instrument.symbol, _changes(batch))
    if differing:
        note(f"{name}: {differing} of {compared} snapshots differ from what the updates before them made")


@contextmanager
def _lines(path: Path, name: str) -> Iterator[Iterator[bytes]]:
    """Those of the one file in the tar."""
    with tarfile.open(path, "r|gz") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None:
                yield (line for line in file if line.strip())
                return
    raise ArchiveError(f"{name} holds no file")


def _changes(batch: list[tuple[Line, list[Levels], int, int | None]]) -> dict[str, pa.Array]:
    numbers = pa.list_(pa.float64())
    at = [int(line.ts) for line, *_ in batch]
    columns = {}
    for place, (prices, amounts) in enumerate((("b", "bv"), ("a", "av"))):
        columns[prices] = pa.array([[price for price, _ in sides[place]] for _, sides, *_ in batch], numbers)
        columns[amounts] = pa.array([[size for _, size in sides[place]] for _, sides, *_ in batch], numbers)
    return {
        "kind": pa.array([line.action for line, *_ in batch]),
        **columns,
        "sequence": pa.array([number for *_, number, _ in batch], pa.uint64()),
        "previous_sequence": pa.array([previous for *_, previous in batch], pa.uint64()),
        "timestamp": pa.array(at, MS),
        "venue_time": pa.array([ms * 1_000_000 for ms in at], NS),
        "received_at": pa.array([ms * 1_000_000 for ms in at], NS),
    }
