"""What was recorded, over several venues and symbols in order of receipt, as lines of the protocol."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime
from operator import itemgetter

import msgspec

from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform.export.source import Piece, Source, records
from mdplatform.read.cells import CHANNELS
from mdplatform.read.changes import hours_of, ns_of
from mdplatform.read.covered import coverage
from mdplatform.read.covered_archive import NOT_ARCHIVED
from mdplatform.read.rows import CLICKHOUSE
from mdplatform.recordings.replay_topic import raw_frames
from mdplatform.serve import filters
from mdplatform.serve.messages import Market, Message, iso
from mdplatform.serve.options import Asked, Feeds, feeds_of, parsed, span, venue_of

Dated = tuple[int, Message]  # receive time in ns


def normalized(text: str, source: Source) -> Iterator[bytes]:
    """The messages that ``options`` ask for, encoded. Raises ConfigError, WarehouseError, ArchiveError."""
    wanted = [(_feeds(asked, source), *span(asked)) for asked in parsed(text)]
    streams = [stream for feeds, start, end in wanted for stream in _streams(feeds, start, end, source)]
    encode = msgspec.json.Encoder().encode
    for _, message in heapq.merge(*streams, key=itemgetter(0)):
        yield encode(message)


def _feeds(asked: Asked, source: Source) -> Feeds:
    """Without symbols: those that have any row of what is wanted."""
    if asked.symbols:
        return feeds_of(asked, source.settings)
    return feeds_of(asked, source.settings, lambda dataset, venue: _found(source, dataset, venue, *span(asked)))


def _found(source: Source, dataset: str, venue: str, start: datetime, end: datetime) -> list[str]:
    """Where no changes of a book were kept, its published levels are given."""
    names = source.symbols(dataset, venue, start, end)
    return names + source.symbols("books", venue, start, end) if dataset == "increments" else names


def raw(text: str, settings: Settings) -> Iterator[bytes]:
    """Frames as they were received, where MDPLATFORM_KEEP_RAW keeps them; an empty line where a connection was opened
    again, if that is asked for. Raises ConfigError, BusError."""
    (asked, *others) = parsed(text)
    if others:
        raise ConfigError("raw frames are of one exchange: options must be one object")
    start, end = span(asked)
    venue, _ = venue_of(asked)
    passes = filters.wanted(asked.filters or (), venue, settings)
    begin, until = ns_of(start), ns_of(end)
    connected: set[str] = set()
    for frame in raw_frames(settings, venue, start, end):
        if (
            frame.exchange != venue
            or frame.is_list
            or frame.request is not None
            or not begin <= frame.received_ns < until
        ):
            continue
        if asked.with_raw_disconnects and frame.seq == 1 and frame.conn in connected:
            yield b""
        connected.add(frame.conn)
        if passes(frame.frame):
            yield _line(iso(frame.received_ns), frame.frame)


def _line(at: str, frame: bytes) -> bytes:
    """The frame as it stands where it is JSON, else as text."""
    try:
        msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        frame = msgspec.json.encode(frame.decode(errors="replace"))
    return b'{"localTimestamp":"%s","message":%s}' % (at.encode(), frame.replace(b"\n", b" "))


def _streams(feeds: Feeds, start: datetime, end: datetime, source: Source) -> Iterator[Iterator[Dated]]:
    """Of each symbol one, in order of receipt; of all of them one of disconnects."""
    for symbol, name in feeds.names.items():
        yield _of_symbol(Market(feeds, name), symbol, start, end, source)
    if feeds.with_disconnects:
        yield _disconnects(feeds, start, end, source)


def _of_symbol(market: Market, symbol: str, start: datetime, end: datetime, source: Source) -> Iterator[Dated]:
    """A symbol's datasets must come in order before anything is computed of them."""
    whole = Piece("", market.feeds.venue, symbol, start, end, start, end)
    kinds: dict[str, Callable[[Message], Iterator[Message]]] = {
        "trades": market.trade,
        "liquidations": market.liquidation,
        "quotes": market.quote,
        "funding": market.ticker,
        "open_interest": market.ticker,
    }
    parts: list[Iterator[tuple[int, Iterator[Message]]]] = [
        _rows(source, whole, dataset, kinds[dataset]) for dataset in market.feeds.datasets if dataset in kinds
    ]
    if "increments" in market.feeds.datasets:
        parts.append(_changes(source, whole, market))
    for received_ns, messages in heapq.merge(*parts, key=itemgetter(0)):
        for message in messages:
            yield received_ns, message


def _rows(
    source: Source, whole: Piece, dataset: str, shown: Callable[[Message], Iterator[Message]]
) -> Iterator[tuple[int, Iterator[Message]]]:
    """An hour at a time: a day of trades need not fit into memory."""
    for start, end in hours_of(whole.start, whole.end):
        piece = Piece(dataset, whole.venue, whole.symbol, start, end, whole.start, whole.end)
        # Older archives have no open interest.
        for row in records(source.rows(piece, partial=dataset == "open_interest")):
            yield row["received_time"], shown(row)


def _changes(source: Source, whole: Piece, market: Market) -> Iterator[tuple[int, Iterator[Message]]]:
    """Of the whole book; of the published levels, each book a snapshot, where no changes were kept."""
    has_any = False
    for change in source.changes(whole):
        has_any = True
        yield change.received_ns, market.change(change)
    if not has_any:
        for change in source.changes(whole, "published"):
            yield change.received_ns, market.change(change)


def _disconnects(feeds: Feeds, start: datetime, end: datetime, source: Source) -> Iterator[Dated]:
    """Where one of the feeds was not proven by any collector, and where the archive lacks an hour."""
    found = coverage(
        start=start,
        end=end,
        venues=feeds.venue,
        symbols=[*feeds.names],
        datasets=[dataset for dataset in feeds.datasets if dataset in CHANNELS],
        source=CLICKHOUSE if source.archive is None else source.archive,
        settings=source.settings,
    )
    breaks = {(ns_of(gap.started_at), gap.symbol) for gap in found.gaps if not gap.prevented}
    breaks |= {(ns_of(cell.start), cell.symbol) for cell in found.cells if cell.causes == NOT_ARCHIVED}
    for received_ns, symbol in sorted(breaks):
        if ns_of(start) <= received_ns < ns_of(end):
            yield received_ns, Market(feeds, feeds.names[symbol]).disconnect(received_ns)
