"""Messages as nobody of ours writes them, for every topic, and the consumers that have to stand them."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator

import msgspec

from mdplatform.bus import Message
from mdplatform.bus.memory import MemoryBus
from mdplatform.bus.reader import newest_status
from mdplatform.core.clock import FrozenClock
from mdplatform.core.codec import encode
from mdplatform.core.events import Book, Event, FeedStats, FeedStatus, Funding, Liquidation, OpenInterest, Quote, Trade
from mdplatform.core.topics import Topics
from mdplatform.dashboard.board import Board
from mdplatform.dashboard.health import Health, Reach
from mdplatform.dashboard.stream import Sources, Stream
from mdplatform.signals.detectors.thresholds import Thresholds
from mdplatform.signals.engine import SignalEngine
from mdplatform.terminal.topofbook import TopOfBook
from mdplatform_tests.fuzz.mutation import mutate

NOW_NS = 1_795_000_000_000_000_000
EXCHANGE, SYMBOL = "binance", "BTC-USDT"
COUNTS = dict.fromkeys(
    ("symbols", "frames", "bytes", "events", "reconnects", "gaps", "dead_letters", "published", "failed", "queue"), 1
)
ENGINE = ("books", "quotes", "trades", "liquidations", "status")
PAGE = (*ENGINE, "funding", "open_interest", "stats")
SHOW_EVERY = 500  # messages

NUMBERS = (
    *("1e1000000", "-1e1000000", "1e-1000000", "0e-1000000", "0e999999", "1e308", "1e-308", "1e-400", "5e-324"),
    *("0", "-0", "-1", "0.0", "1e30", "1e31", "NaN", "Infinity", "9" * 400, "-" + "9" * 400, "1." + "1" * 5000),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e3", "1.5"),
    *("null", "true", '""', '"1"', "[]", "{}", "[1]"),
)
TEXTS = ("\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "[/red][bold]", "\u202e", "\0", "A" * 300, "\ud800", "", " ", "\n")


def event(dataset: str, price: str = "60000.1", at_ns: int = NOW_NS, sequence: int = 7, symbol: str = SYMBOL) -> Event:
    """A sound one of a dataset."""
    above = str(float(price) + 1)
    about = (EXCHANGE, symbol)
    made: dict[str, Event] = {
        "books": Book(*about, [price], ["1.5"], [above], ["0.5"], at_ns, sequence, sequence - 1, at_ns),
        "quotes": Quote(*about, price, "1", above, "2", sequence, at_ns, at_ns),
        "trades": Trade(*about, str(sequence), price, "0.1", "buy", at_ns, at_ns),
        "liquidations": Liquidation(*about, str(sequence), price, "0.1", "sell", at_ns, at_ns),
        "funding": Funding(*about, "0.0001", price, price, at_ns, at_ns, at_ns),
        "open_interest": OpenInterest(*about, price, None, None, at_ns, at_ns),
        "status": FeedStatus(*about, "book", "valid", "snapshot", at_ns),
        "stats": FeedStats(exchange=EXCHANGE, conn="binance-1", ts_ns=at_ns, paused_ms=0, **COUNTS),
    }
    return made[dataset]


def flood(count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """So many (dataset, message): sound ones changed at random, and with what is known to hurt."""
    rng = random.Random(seed)
    sound = {dataset: encode(event(dataset))[1] for dataset in PAGE}
    others = list(sound.values())
    for number in range(count):
        dataset = PAGE[number % len(PAGE)]
        match rng.randrange(8):
            case 0 | 1:
                yield dataset, mutate(sound[dataset], others, rng)
            case 2:
                yield dataset, rng.choice(others)  # of another topic, mostly
            case 3:
                yield dataset, _elsewhere(sound[dataset], number, rng)
            case 4 if number % 200 < 7:
                yield dataset, _endless(sound[dataset], rng)
            case _:
                yield dataset, _changed(sound[dataset], rng)


def _changed(value: bytes, rng: random.Random) -> bytes:
    """One or two fields hold a number or a text of the lists."""
    fields = json.loads(value)
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(list(fields))
        if isinstance(fields[name], list):
            fields[name] = [rng.choice(("@1", "@2", 3.5)) for _ in range(rng.choice((0, 1, 2, 30)))]
        else:
            fields[name] = rng.choice(("@1", "@2", rng.choice(TEXTS)))
    text = json.dumps(fields, separators=(",", ":"))
    return text.replace('"@1"', rng.choice(NUMBERS)).replace('"@2"', rng.choice(NUMBERS)).encode()


def _elsewhere(value: bytes, number: int, rng: random.Random) -> bytes:
    """Well formed, of a market that nobody has, or of a time that has not come."""
    fields = json.loads(value)
    match rng.randrange(3):
        case 0:
            fields["symbol"] = f"{rng.choice(TEXTS[:5])}{number}"
        case 1:
            fields["exchange"] = f"nobody{number}"
        case _:
            for name in ("ts", "venue_ns", "received_ns", "started_ns", "sequence", "timestamp"):
                if name in fields:
                    fields[name] = fields[name] * 3 if rng.randrange(2) else 2**63 - 1
    return json.dumps(fields).encode()


def _endless(value: bytes, rng: random.Random) -> bytes:
    match rng.randrange(4):
        case 0:
            return value.replace(b"BTC-USDT", b"B" * 1_000_000)
        case 1:
            return value.replace(b"[60000.1]", b"[" + b"1," * 200_000 + b"1]")
        case 2:
            return b"[" * 100_000
        case _:
            return value.replace(b"60000.1", b"60000." + b"1" * 500_000)


class Line:
    """The signal engine, the page with two browsers, and the table of best prices, in memory."""

    def __init__(self, show_every: int = SHOW_EVERY) -> None:
        self.show_every = show_every
        self.clock = FrozenClock(NOW_NS)
        self.sent: Counter[str] = Counter()
        self.bus = MemoryBus()
        self.topics = Topics()
        self.engine = SignalEngine(Thresholds(), self.bus, self.topics, self.clock)
        self.board = Board(now_ns=self.clock.now_ns)
        self.table = TopOfBook()
        sources = Sources(self.board, Health("nowhere", 0), Reach(0))
        panels = [(EXCHANGE, SYMBOL), ("nobody", "X")]
        self.browsers = [Stream(sources, panels, "BTC"), Stream(sources)]
        self.signals = self.letters = self.pushed = 0

    def take(self, dataset: str, value: bytes) -> None:
        """One message to all who read its topic, as they would."""
        self.sent[dataset] += 1
        topic = self.topics[dataset].replace("{exchange}", EXCHANGE)
        message = Message(topic, 0, self.sent[dataset], self.clock.now_ns() // 1_000_000, b"k", value)
        if dataset in ENGINE:
            self.engine.take([message])
        self.board.take(dataset, value, self.clock.now_ns() // 1_000_000)
        if dataset == "books":
            self.table.take(value)
        if dataset == "status":
            newest_status([message], EXCHANGE)
        if self.sent.total() % self.show_every == 0:
            self.show()

    def show(self) -> None:
        """Push to the browsers, draw the table, and have what was published acknowledged."""
        for browser in self.browsers:
            self.pushed += len(_pushed(browser, self.clock.now_ns() // 1_000_000))
        for row in self.table.rows():
            row.cells(self.clock.now_ns())
        self.bus.flush(0)
        signals = self.bus.topics.pop(self.topics["signals"], [])
        self.signals += len(signals)
        self.engine.recall(signals)
        self.letters += len(self.bus.topics.pop(self.topics["dead_letters"], []))

    def account(self) -> dict[str, tuple[int, int]]:
        """(messages sent to it, messages that it took or passed over) of each consumer."""
        read = sum(self.sent[dataset] for dataset in ENGINE)
        engine, board, table = self.engine, self.board, self.table
        passed = (one.passed_over.total for one in (engine, board, table))
        return {
            "signals": (read, engine.taken + next(passed)),
            "page": (self.sent.total(), board.taken + board.left_out + next(passed)),
            "topofbook": (self.sent["books"], table.updates + next(passed)),
        }


def _pushed(browser: Stream, now_ms: int) -> bytes:
    return msgspec.json.encode(browser.update(now_ms))
