"""Recorded frames by venue and kind of message, with what a session must receive before them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mdplatform.core.clock import MS
from mdplatform.core.events import Book, Funding, Listing, Quote, Trade
from mdplatform.core.session import Session
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform.venues import venue

DATA = Path(os.environ.get("MDPLATFORM_RECORDINGS", Path(__file__).parents[2] / "shared" / "data"))
KINDS: dict[type, str] = {Book: "book", Trade: "trade", Quote: "quote", Funding: "funding", Listing: "listing"}
SNAPSHOT_BYTES, SNAPSHOTS_WITHIN = 15_000, 500  # what distinguishes a snapshot from an update: its size, its place
FEWEST, MOST = 40, 4_000  # frames of a kind that are worth timing, and that are timed
START_NS = 1_733_011_200_000 * MS  # of the one file that holds no receive times


class Recording(NamedTuple):
    """``market``: how the table calls it; ``lists``: instrument lists; ``rival``: cryptofeed's name for the venue."""

    market: str
    venue: str
    files: tuple[str, ...]
    lists: tuple[str, ...] = ()
    rival: str | None = None


RECORDINGS = (
    Recording("binance spot", "binance", ("binance/hft_spot_btcusdt_20240808.txt.gz",), rival="BINANCE"),
    Recording(
        "binance usdm", "binance-usdm", ("binance/hft_usdm_btcusdt_20240808.first90s.txt.gz",), rival="BINANCE_FUTURES"
    ),
    Recording(
        "coinbase", "coinbase", ("coinbase/cryptofeed_COINBASE.ws.28.0.part.gz",), ("coinbase/cryptofeed_COINBASE.0",)
    ),
    Recording(
        "kraken futures",
        "kraken",
        ("kraken/cryptofeed_KRAKEN_FUTURES.ws.1.0.gz",),
        ("kraken/cryptofeed_KRAKEN_FUTURES.0",),
        "KRAKEN_FUTURES",
    ),
    Recording(
        "kucoin",
        "kucoin",
        ("kucoin/cryptofeed_KUCOIN.http.0.0.part", "kucoin/cryptofeed_KUCOIN.ws.1.0.part.gz"),
        ("kucoin/cryptofeed_KUCOIN.0.gz",),  # cryptofeed asks KuCoin itself for a ticket before it reads a frame
    ),
    Recording("okx", "okx", ("okx/cryptofeed_OKX.ws.1.0.gz",), ("okx/cryptofeed_OKX.0.first5.gz",), "OKX"),
    Recording("bybit", "bybit", ("bybit/nautilus_2024-12-01_XRPUSDT_ob500.data.jsonl",), rival="BYBIT"),
    Recording(
        "gate futures",
        "gate",
        ("gate/cryptofeed_GATEIO_FUTURES.http.0.0", "gate/cryptofeed_GATEIO_FUTURES.ws.1.0"),
        ("gate/cryptofeed_GATEIO_FUTURES.0.gz",),
        "GATEIO_FUTURES",
    ),
    Recording(
        "deribit", "deribit", ("deribit/cryptofeed_DERIBIT.ws.1.0",), ("deribit/cryptofeed_DERIBIT.0.gz",), "DERIBIT"
    ),
)


class Stream(NamedTuple):
    """``before`` is fed untimed: lists, snapshots, what came up to the last of them; then ``frames`` of one kind."""

    recording: Recording
    kind: str
    before: list[Entry]
    frames: list[Entry]
    names: dict[str, str]  # our symbol -> the venue's, of all that the recording is about


@cache
def known(venue_id: str) -> tuple[Instrument, ...]:
    return tuple(venue(venue_id).known_instruments())


def session_of(venue_id: str) -> Session:
    """A session that knows what can be known without a list; the recordings that need one hold it."""
    return venue(venue_id).reader(Instruments(venue_id, known(venue_id)))


@cache
def entries(recording: Recording) -> tuple[Entry, ...]:
    """Every entry in order of time, lists first."""
    lists = [entry for name in recording.lists for entry in _read(name)]
    played = [entry for name in recording.files for entry in _read(name)]
    return (*lists, *sorted(played, key=lambda entry: entry.received_ns))


def _read(name: str) -> Iterator[Entry]:
    for number, line in enumerate(read_lines(DATA / name)):
        stamped = b"%d %s" % (START_NS + number * 100 * MS, line) if line[:1] == b"{" else line
        for entry in parse([stamped]):
            if isinstance(entry, Entry):
                yield entry


def streams(recording: Recording) -> list[Stream]:
    """A stream for each kind of message that the recording holds in number."""
    session, given = session_of(recording.venue), list[str]()
    played, listed = entries(recording), Instruments(recording.venue, known(recording.venue))
    begin, symbols = 0, dict[str, None]()
    for index, entry in enumerate(played):
        events = [event for event in session.receive(entry.frame, entry.received_ns) if type(event) in KINDS]
        given.append(KINDS[type(events[0])] if events else "")
        for event in events:
            if isinstance(event, Listing):
                listed.add(event.instrument)
            else:
                symbols[event.symbol] = None  # type: ignore[union-attr]
        is_snapshot = index < SNAPSHOTS_WITHIN and len(entry.frame) > SNAPSHOT_BYTES
        if is_snapshot or entry.kind == "answer" or given[-1] == KINDS[Listing]:
            begin = index + 1
    names = {row.symbol: row.venue_symbol for row in listed.select(symbols)}
    timed = [(kind, _of_kind(kind, played[begin:], given[begin:])) for kind in KINDS.values()]
    return [
        Stream(recording, kind, [*played[:begin]], frames, names) for kind, frames in timed if len(frames) >= FEWEST
    ]


def _of_kind(kind: str, played: Sequence[Entry], given: list[str]) -> list[Entry]:
    if kind == KINDS[Listing]:
        return []
    return [entry for entry, name in zip(played, given, strict=True) if name == kind][:MOST]
