"""One digest a recording: everything that a venue's rules make of its frames, so that a rebuilt kit can be compared.

Each recording is taken twice: through ``Player``, as ``mdplatform normalize`` does, and through the venue's live
sessions, which also subscribe, send pings, give up and connect again. ``recordings_digest.txt`` holds one line for
each: what was taken, how many outputs of which type, SHA-256 over all outputs in their order. Kinds of events that are
younger than the file have a line of their own, so that the others can be compared with what they were.

A change that is meant to change events writes the file again:

    python -m mdplatform_tests.venues.recordings_digest > mdplatform_tests/venues/recordings_digest.txt
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path

import msgspec

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.codec import encode
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import IndexPrice, Listing, OpenInterest, OptionSummary
from mdplatform.core.session import Fetch, Output, Reconnect, Send, Session
from mdplatform.core.symbols import Instruments
from mdplatform.recordings.player import Player
from mdplatform.recordings.tape import Entry, Unreadable, parse, read_lines, tape_line
from mdplatform.venues import venue, venue_ids

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FRAMES = Path(__file__).parents[1] / "frames"
WRITTEN = Path(__file__).with_name("recordings_digest.txt")

LINES = 5000  # of a recording: enough to join every book, and all of them in some seconds
FRAMES_A_CHANNEL = 100  # where only one channel is subscribed
LIVE_SYMBOLS = 12  # that live sessions subscribe to
AFTERWARDS_NS = 90 * SECOND  # without a frame: longer than what any venue waits for
TICK_NS = 200 * MS

YOUNGER = (OpenInterest, IndexPrice, OptionSummary)

# Name -> the venue, and the files of a recording in their order: instrument lists, REST answers, frames.
RECORDINGS = {
    "binance/hft_spot": ("binance", ["binance/hft_spot_btcusdt_20240808.txt.gz"]),
    "binance/hft_spot_next_day": ("binance", ["binance/hft_spot_btcusdt_20240809.first20s.txt.gz"]),
    "binance/cryptofeed": ("binance", ["binance/cryptofeed_BINANCE.http.0.0", "binance/cryptofeed_BINANCE.ws.1.0"]),
    "binance/beyond_the_snapshot": ("binance", ["dirty/beyond_the_snapshot.binance.txt"]),
    "binance/trades_begin_again": ("binance", ["dirty/trades_begin_anew.binance.txt"]),
    "binance/hft_usdm_btcusdt": ("binance-usdm", ["binance/hft_usdm_btcusdt_20240808.first90s.txt.gz"]),
    "binance/hft_usdm_ethusdt": ("binance-usdm", ["binance/hft_usdm_ethusdt_20240808.first45s.txt.gz"]),
    "binance/cryptofeed_usdm": (
        "binance-usdm",
        [f"binance/cryptofeed_BINANCE_FUTURES.{part}" for part in ("0", "http.0.0", "ws.1.0.gz")],
    ),
    "binance/hft_coinm": ("binance-coinm", ["binance/hft_cm_btcusd_perp_20240808.first40s.txt.gz"]),
    "binance/cryptofeed_coinm": (
        "binance-coinm",
        [f"binance/cryptofeed_BINANCE_DELIVERY.{part}" for part in ("0", "http.0.0.gz", "ws.1.0.gz")],
    ),
    "bitget/cryptofeed": ("bitget", ["bitget/cryptofeed_BITGET.0", "bitget/cryptofeed_BITGET.ws.2.0.gz"]),
    "bybit/history": ("bybit", ["bybit/nautilus_2024-12-01_XRPUSDT_ob500.data.jsonl"]),
    "bybit/samples": ("bybit", ["bybit/nautilus_message_samples.jsonl"]),
    "coinbase/cryptofeed": (
        "coinbase",
        ["coinbase/cryptofeed_COINBASE.0", "coinbase/cryptofeed_COINBASE.ws.28.0.part.gz"],
    ),
    "coinbase/samples": ("coinbase", ["coinbase/nautilus_message_samples.jsonl"]),
    "deribit/cryptofeed": ("deribit", ["deribit/cryptofeed_DERIBIT.0.gz", "deribit/cryptofeed_DERIBIT.ws.1.0"]),
    "deribit/samples": ("deribit", ["deribit/nautilus_message_samples.jsonl"]),
    "deribit/trades_over_300_days": ("deribit", ["dirty/trades_over_300_days.deribit.txt"]),
    "gate/cryptofeed": ("gate", [f"gate/cryptofeed_GATEIO.{part}" for part in ("0.gz", "http.0.0", "ws.1.0")]),
    "gate/cryptofeed_futures": (
        "gate",
        [f"gate/cryptofeed_GATEIO_FUTURES.{part}" for part in ("0.gz", "http.0.0", "ws.1.0")],
    ),
    "gate/liquidation_as_object": ("gate", ["dirty/liquidation_as_object.gate.txt"]),
    "gate/quotes_begin_again": ("gate", ["dirty/quotes_begin_anew.gate.txt"]),
    "hyperliquid/odd_row": ("hyperliquid", ["dirty/list_with_one_odd_row.hyperliquid.txt"]),
    "hyperliquid/bad_trade": ("hyperliquid", ["dirty/one_bad_trade_in_a_frame.hyperliquid.txt"]),
    "kraken/cryptofeed_v1": ("kraken", ["kraken/cryptofeed_KRAKEN.0.gz", "kraken/cryptofeed_KRAKEN.ws.50.0.gz"]),
    "kraken/cryptofeed_futures": (
        "kraken",
        ["kraken/cryptofeed_KRAKEN_FUTURES.0", "kraken/cryptofeed_KRAKEN_FUTURES.ws.1.0.gz"],
    ),
    "kraken/emptied_book": ("kraken", ["dirty/emptied_book.kraken.txt"]),
    "kraken/samples": ("kraken", ["kraken/nautilus_message_samples.jsonl"]),
    "kucoin/cryptofeed": (
        "kucoin",
        [f"kucoin/cryptofeed_KUCOIN.{part}" for part in ("0.gz", "http.0.0.part", "ws.1.0.part.gz")],
    ),
    "okx/cryptofeed": ("okx", ["okx/cryptofeed_OKX.0.first5.gz", "okx/cryptofeed_OKX.ws.1.0.gz"]),
    "okx/samples": ("okx", ["okx/nautilus_message_samples.jsonl"]),
}


def recorded(name: str) -> tuple[str, list[bytes]]:
    """(venue, the first lines of each file of a recording)."""
    venue_id, files = RECORDINGS[name]
    return venue_id, [line for file in files for line in islice(_lines(DATA / file), LINES)]


def golden(venue_id: str) -> list[bytes]:
    """The frames of all golden cases, one after the other."""
    paths = sorted(FRAMES.glob(f"{venue_id}/*.frames.jsonl"))
    return [line for path in paths for line in path.read_bytes().splitlines()]


def digests(venue_id: str, name: str, lines: list[bytes]) -> list[str]:
    """The lines of the file for one recording."""
    entries = list(parse(lines))
    instruments = _instruments(venue_id, entries)
    return [
        *_lines_of(f"{name} replayed", _replayed(venue_id, entries)),
        *_lines_of(f"{name} live", _live(venue_id, instruments, entries)),
    ]


def all_digests() -> Iterator[str]:
    for name in RECORDINGS:
        venue_id, lines = recorded(name)
        yield from digests(venue_id, name, lines)
    for venue_id in venue_ids():
        yield from digests(venue_id, f"{venue_id}/golden", golden(venue_id))


def _lines(path: Path) -> Iterator[bytes]:
    """Of a tape as they are; of samples and of Bybit's history, which hold no receive times, one a second."""
    for number, line in enumerate(read_lines(path)):
        if path.suffix != ".jsonl":
            yield line
            continue
        row = msgspec.json.decode(line)
        text = row["text"].encode() if "text" in row else line.rstrip()
        yield tape_line((1775572200 + number) * SECOND, text)


def _replayed(venue_id: str, entries: list[Entry | Unreadable]) -> Iterator[Output]:
    player = Player(venue_id)
    for entry in entries:
        yield from player.take(entry)
    yield from player.end()


def _instruments(venue_id: str, entries: list[Entry | Unreadable]) -> Instruments:
    """Those that the recording's events are about, the venue's own rows before composed ones."""
    listed = list(venue(venue_id).known_instruments())
    symbols: dict[str, None] = {}
    for event in _replayed(venue_id, entries):
        if isinstance(event, Listing):
            listed.append(event.instrument)
        elif symbol := getattr(event, "symbol", None):
            symbols[symbol] = None
    by_symbol = {row.symbol: row for row in listed}
    found = [by_symbol[symbol] for symbol in symbols if symbol in by_symbol] or list(by_symbol.values())
    return Instruments(venue_id, found[:LIVE_SYMBOLS])


def _live(venue_id: str, instruments: Instruments, entries: list[Entry | Unreadable]) -> Iterator[Output]:
    """Every frame on every connection: what is not of it is refused, which also must stay as it is."""
    frames = [entry for entry in entries if isinstance(entry, Entry) and entry.kind == "frame"]
    facts = venue(venue_id)
    for session in sessions(venue_id, instruments, facts.default_channels):
        yield from _driven(session, frames)
    for channel in facts.channels:
        for session in sessions(venue_id, instruments, (channel.name,)):
            yield from _driven(session, frames[:FRAMES_A_CHANNEL])


def sessions(venue_id: str, instruments: Instruments, channels: tuple[str, ...]) -> list[Session]:
    """None where the venue has no such channel for these instruments, or only for who logs in."""
    try:
        return [line.session for line in venue(venue_id).plan_connections(instruments, channels)]
    except ConfigError:
        return []


def _driven(session: Session, frames: list[Entry]) -> Iterator[Output]:
    """Two connections of one session: the first with all frames, the second silent."""
    now_ns = frames[0].received_ns if frames else SECOND
    yield from session.connected("first", now_ns)
    for entry in frames:
        if entry.received_ns - now_ns >= TICK_NS:
            now_ns = entry.received_ns
            yield from _pings_last(session.tick(now_ns))
        yield from session.receive(entry.frame, max(now_ns, entry.received_ns))
    for cause in ("silent", "stopped"):
        for _ in range(AFTERWARDS_NS // TICK_NS):
            now_ns += TICK_NS
            yield from _pings_last(session.tick(now_ns))
        yield from session.closed(cause, now_ns)
        if cause == "silent":
            yield from session.connected("second", now_ns)


def _pings_last(outputs: list[Output]) -> list[Output]:
    """Where among the frames of one moment a ping goes out makes no difference."""
    return sorted(outputs, key=lambda output: isinstance(output, Send) and b"ping" in output.frame)


def _lines_of(name: str, outputs: Iterable[Output]) -> Iterator[str]:
    """That of the kinds that the file was started with, then those of younger kinds, where there are such events."""
    made = list(outputs)
    yield _line(name, (output for output in made if not isinstance(output, YOUNGER)))
    for kind in YOUNGER:
        if of_kind := [output for output in made if isinstance(output, kind)]:
            yield _line(name, of_kind)


def _line(name: str, outputs: Iterable[Output]) -> str:
    digest, counts = sha256(), Counter[str]()
    for output in outputs:
        counts[type(output).__name__] += 1
        digest.update(_bytes(output))
        digest.update(b"\n")
    return f"{name} {' '.join(f'{kind}={count}' for kind, count in sorted(counts.items())) or '-'} {digest.hexdigest()}"


def _bytes(output: Output) -> bytes:
    if isinstance(output, Send | Fetch | Reconnect):
        return type(output).__name__.encode() + msgspec.json.encode(output)
    _, value = encode(output)
    return b"%s %s" % (type(output).__name__.encode(), value)


if __name__ == "__main__":
    for written in all_digests():
        print(written)
