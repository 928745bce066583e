"""Recorded frames of six venues, played as live for as long as wanted: many symbols, over and over.

A recording lasts seconds and holds a few symbols. Each is played under as many names as wanted, which differ by a
number before the venue's own, and from its beginning again when it ends. Only that is rewritten which a session would
not take as live: the name; times (the newest of a frame becomes the time at which it is sent, the others keep their
distance to it); and numbers, which go on where the turn before ended. Where a venue begins with a snapshot on the
socket, each turn begins with it. Where the snapshot is by REST, a last frame of each turn leads the book back to its
beginning, and the call is answered with the book as of the last frame sent. Two formats that venues gave up are written
in their present form: Bybit's ``orderbook.500`` is named ``orderbook.1000``, Bitget's books of v1 get what those
of v2 have besides, ``seq``, ``pseq`` and the time of the message.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import cycle, islice
from typing import Any, ClassVar, NamedTuple

import msgspec
from msgspec.structs import replace

from benchmarks.recordings import DATA, RECORDINGS, Recording, entries, known, session_of
from mdplatform.core.events import Listing
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Request, Venue
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.recordings.tape import Entry, read_lines
from mdplatform.venues import venue

Key = tuple[str, str]  # channel and the venue's symbol, as subscriptions and frames agree on
Message = dict[str, Any]
Sides = tuple[dict[str, str], dict[str, str]]  # size by price, bids and asks
Recorded = tuple[Instrument, "list[Form]", "Sides | None"]  # a symbol: its frames, and the book before them by REST
MS, S, NUMBER, NAME = range(4)  # what is rewritten: a time in ms or s, a number, the beginning of a name
LISTED = "/listed"  # where a player lists its instruments
BEFORE = ("pu", "pseq")  # the number of the frame before
FEWEST = 10  # frames of a symbol that are worth playing
FAR = "20981225"  # when dated instruments expire that expired long ago


class Form(NamedTuple):
    """A frame with blanks, and what stands in them: of a time its age in ms when the frame is sent, else the number."""

    offset_s: float  # since the first frame of its track
    channel: str
    template: bytes
    blanks: tuple[tuple[int, int], ...]
    span: int  # what its numbers gain in a turn

    def frame(self, name: bytes, now_ms: int, turn: int) -> bytes:
        """As it is sent at that time, in that turn, under a name that begins with ``name``."""
        gain = turn * self.span
        values = [
            now_ms - value
            if kind == MS
            else value + gain
            if kind == NUMBER
            else name
            if kind == NAME
            else (now_ms - value) // 1000
            for kind, value in self.blanks
        ]
        return self.template % tuple(values)


class Feed:
    """How one venue's recording is read and its client answered. One symbol of a recording is a track."""

    venue: ClassVar[str]
    market: ClassVar[str]  # of the recording
    channels: ClassVar[tuple[str, ...]]  # that the collector subscribes to; the first is the book's
    book: ClassVar[str]  # the channel of the book, as a key names it
    fields: ClassVar[dict[str, int]]  # by name: times and numbers that are rewritten
    more: ClassVar[tuple[Recording, ...]] = ()  # recordings besides
    by_rest: ClassVar[bool] = False  # whether the book's snapshot is asked for

    @classmethod
    def recordings(cls) -> tuple[Recording, ...]:
        return (*(one for one in RECORDINGS if one.market == cls.market), *cls.more)

    @classmethod
    def present(cls, frame: bytes, number: int) -> bytes:
        """The frame in the venue's present form; ``number`` counts those of its symbol."""
        return frame

    @classmethod
    def key(cls, frame: bytes) -> Key | None:
        """What the frame is of; None for what is not played."""
        raise NotImplementedError

    @classmethod
    def changes(cls, frame: bytes) -> tuple[int, list[tuple[str, str]], list[tuple[str, str]]]:
        """Last number, bids and asks of a frame of the book. For venues with snapshots by REST."""
        raise NotImplementedError

    @classmethod
    def snapshots(cls, played: Iterable[Entry]) -> dict[str, tuple[int, Sides]]:
        """By symbol, the first book by REST."""
        return {}

    @classmethod
    def bridge(cls, symbol: str, last: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> bytes:
        """The frame after number ``last`` with these changes."""
        raise NotImplementedError

    @classmethod
    def asked(cls, path: str) -> bool:
        """Whether a call is for a book."""
        return False

    @classmethod
    def answer(cls, last: int, sides: Sides, now_ms: int) -> bytes:
        """The book by REST."""
        raise NotImplementedError

    @classmethod
    def reply(cls, message: bytes) -> tuple[list[bytes], list[Key]]:
        """What the venue answers to a client's message, and what was subscribed to."""
        raise NotImplementedError


class BinanceUsdm(Feed):
    venue, market, channels, book = "binance-usdm", "binance usdm", ("depth@0ms", "trade", "bookTicker"), "depth@0ms"
    fields: ClassVar = {"E": MS, "T": MS, "U": NUMBER, "u": NUMBER, "pu": NUMBER, "t": NUMBER}
    more = (Recording("binance usdm", "binance-usdm", ("binance/hft_usdm_ethusdt_20240808.first45s.txt.gz",)),)
    by_rest = True

    @classmethod
    def key(cls, frame: bytes) -> Key | None:
        symbol, _, channel = frame[11 : frame.find(b'"', 11)].decode().partition("@")  # behind {"stream":"
        return (channel, symbol.upper()) if channel in cls.channels else None

    @classmethod
    def changes(cls, frame: bytes) -> tuple[int, list[tuple[str, str]], list[tuple[str, str]]]:
        data = json.loads(frame)["data"]
        return data["u"], data["b"], data["a"]

    @classmethod
    def snapshots(cls, played: Iterable[Entry]) -> dict[str, tuple[int, Sides]]:
        played = list(played)
        symbol = next(key[1] for entry in played if (key := cls.key(entry.frame)))
        body = next(json.loads(entry.frame) for entry in played if b'"lastUpdateId"' in entry.frame[:40])
        return {symbol: (body["lastUpdateId"], (dict(body["bids"]), dict(body["asks"])))}

    @classmethod
    def bridge(cls, symbol: str, last: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> bytes:
        data = {"e": "depthUpdate", "E": 0, "T": 0, "s": symbol, "U": last + 1, "u": last + 1, "pu": last}
        stream = f"{symbol.lower()}@{cls.book}"
        return msgspec.json.encode({"stream": stream, "data": {**data, "b": bids, "a": asks}})

    @classmethod
    def asked(cls, path: str) -> bool:
        return path.endswith("/depth")

    @classmethod
    def answer(cls, last: int, sides: Sides, now_ms: int) -> bytes:
        bids, asks = (list(side.items()) for side in _best(sides, 1000))
        return msgspec.json.encode({"lastUpdateId": last, "E": now_ms, "T": now_ms, "bids": bids, "asks": asks})

    @classmethod
    def reply(cls, message: bytes) -> tuple[list[bytes], list[Key]]:
        request = json.loads(message)
        keys = [(channel, symbol.upper()) for symbol, _, channel in (one.partition("@") for one in request["params"])]
        return [msgspec.json.encode({"result": None, "id": request["id"]})], keys


class Bybit(Feed):
    venue, market, channels, book = "bybit", "bybit", ("orderbook.1000",), "orderbook.1000"
    fields: ClassVar = {"ts": MS, "cts": MS, "u": NUMBER}

    @classmethod
    def present(cls, frame: bytes, number: int) -> bytes:
        return frame.replace(b'"orderbook.500.', b'"orderbook.1000.', 1)

    @classmethod
    def key(cls, frame: bytes) -> Key | None:
        return cls._key(json.loads(frame)["topic"])

    @classmethod
    def _key(cls, topic: str) -> Key:
        channel, _, symbol = topic.rpartition(".")
        return channel, symbol

    @classmethod
    def reply(cls, message: bytes) -> tuple[list[bytes], list[Key]]:
        request = json.loads(message)
        done = {"success": True, "ret_msg": "", "conn_id": "1", "op": request["op"]}
        if request["op"] == "ping":
            return [msgspec.json.encode(done | {"ret_msg": "pong"})], []
        keys = [cls._key(topic) for topic in request["args"] if request["op"] == "subscribe"]
        return [msgspec.json.encode(done | {"req_id": request["req_id"]})], keys


class Kraken(Feed):
    venue, market, channels, book = "kraken", "kraken futures", ("book",), "book"
    fields: ClassVar = {"timestamp": MS, "seq": NUMBER}

    @classmethod
    def key(cls, frame: bytes) -> Key | None:
        message = json.loads(frame)
        is_book = message.get("feed") in ("book", "book_snapshot") and "event" not in message
        return ("book", message["product_id"]) if is_book else None

    @classmethod
    def reply(cls, message: bytes) -> tuple[list[bytes], list[Key]]:
        request = json.loads(message)
        products = request.get("product_ids", [])
        done = {"event": f"{request['event']}d", "feed": request["feed"]}
        keys = [(request["feed"], one.upper()) for one in products if request["event"] == "subscribe"]
        return [msgspec.json.encode(done | ({"product_ids": products} if products else {}))], keys


class Bitget(Feed):
    venue, market, channels, book = "bitget", "bitget", ("books",), "books"
    fields: ClassVar = {"ts": MS, "seq": NUMBER, "pseq": NUMBER}
    more = (Recording("bitget", "bitget", ("bitget/cryptofeed_BITGET.ws.2.0.gz",)),)

    @classmethod
    def present(cls, frame: bytes, number: int) -> bytes:
        frame = frame.replace(b'"instType":"mc"', b'"instType":"USDT-FUTURES"', 1)
        head, _, time = frame.removesuffix(b'"}]}').rpartition(b',"ts":"')
        return head + b',"seq":%d,"pseq":%d,"ts":"%s"}],"ts":%s}' % (number + 1, number, time, time)

    @classmethod
    def key(cls, frame: bytes) -> Key | None:
        message = json.loads(frame)
        is_book = "action" in message and message["arg"]["channel"] == cls.book
        return (cls.book, message["arg"]["instId"]) if is_book else None

    @classmethod
    def reply(cls, message: bytes) -> tuple[list[bytes], list[Key]]:
        if message == b"ping":
            return [b"pong"], []
        request = json.loads(message)
        replies = [msgspec.json.encode({"event": request["op"], "arg": arg}) for arg in request["args"]]
        return replies, [(arg["topic"], arg["symbol"]) for arg in request["args"] if request["op"] == "subscribe"]


class Gate(Feed):
    venue, market, book = "gate", "gate futures", "futures.order_book_update"
    channels = ("order_book_update", "book_ticker")
    fields: ClassVar = {"time": S, "time_ms": MS, "t": MS, "U": NUMBER, "u": NUMBER}
    by_rest = True

    @classmethod
    def key(cls, frame: bytes) -> Key | None:
        message = json.loads(frame)
        if message.get("event") != "update" or message["channel"] not in (cls.book, "futures.book_ticker"):
            return None
        return message["channel"], message["result"]["s"]

    @classmethod
    def changes(cls, frame: bytes) -> tuple[int, list[tuple[str, str]], list[tuple[str, str]]]:
        result = json.loads(frame)["result"]
        return result["u"], _pairs(result["b"]), _pairs(result["a"])

    @classmethod
    def snapshots(cls, played: Iterable[Entry]) -> dict[str, tuple[int, Sides]]:
        """Only the line of the file says whose book an answer is."""
        found: dict[str, tuple[int, Sides]] = {}
        lines = (line for one in cls.recordings() for name in one.files for line in read_lines(DATA / name))
        for line in lines:
            if (asked := re.match(rb"\S+/order_book\?contract=(\w+)\S* -> [\d.]+: ", line)) is not None:
                body = json.loads(line[asked.end() :])
                sides = dict(_pairs(body["bids"])), dict(_pairs(body["asks"]))
                found.setdefault(asked[1].decode(), (body["id"], sides))
        return found

    @classmethod
    def bridge(cls, symbol: str, last: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> bytes:
        rows = {"b": [_row(*level) for level in bids], "a": [_row(*level) for level in asks]}
        result = {"t": 0, "s": symbol, "U": last + 1, "u": last + 1, **rows}
        return msgspec.json.encode({"time": 0, "time_ms": 0, "channel": cls.book, "event": "update", "result": result})

    @classmethod
    def asked(cls, path: str) -> bool:
        return path.endswith("/order_book")

    @classmethod
    def answer(cls, last: int, sides: Sides, now_ms: int) -> bytes:
        bids, asks = ([_row(*level) for level in side.items()] for side in _best(sides, 100))
        return msgspec.json.encode(
            {"id": last, "current": now_ms / 1000, "update": now_ms / 1000, "asks": asks, "bids": bids}
        )

    @classmethod
    def reply(cls, message: bytes) -> tuple[list[bytes], list[Key]]:
        request = json.loads(message)
        channel = request["channel"]
        if channel == "futures.ping":
            return [msgspec.json.encode({"time": request["time"], "channel": "futures.pong", "event": ""})], []
        symbols = request["payload"][:1] if channel == cls.book else request["payload"]
        keys = [(channel, symbol) for symbol in symbols if request["event"] == "subscribe"]
        return [msgspec.json.encode(request | {"result": {"status": "success"}})], keys


class Okx(Feed):
    venue, market, channels, book = "okx", "okx", ("books", "trades"), "books"
    fields: ClassVar = {"ts": MS, "tradeId": NUMBER}

    @classmethod
    def key(cls, frame: bytes) -> Key | None:
        message = json.loads(frame)
        if "event" in message or message["arg"]["channel"] not in cls.channels:
            return None
        return message["arg"]["channel"], message["arg"]["instId"]

    @classmethod
    def reply(cls, message: bytes) -> tuple[list[bytes], list[Key]]:
        if message == b"ping":
            return [b"pong"], []
        request = json.loads(message)
        replies = [
            msgspec.json.encode({"id": request["id"], "event": request["op"], "arg": arg, "connId": "1"})
            for arg in request["args"]
        ]
        keys = [(arg["channel"], arg.get("instId", "")) for arg in request["args"] if request["op"] == "subscribe"]
        return replies, keys


FEEDS: dict[str, type[Feed]] = {feed.venue: feed for feed in (BinanceUsdm, Bybit, Kraken, Bitget, Gate, Okx)}


class Track:
    """One symbol of a recording under one name, to be played in turns."""

    def __init__(self, feed: type[Feed], recorded: Recorded, number: int) -> None:
        listed, self.forms, self._start = recorded
        self.feed = feed
        self._name = b"%03d" % number
        self.instrument = replace(
            listed,
            venue_symbol=f"{number:03}{listed.venue_symbol}",
            base=f"{listed.base}{number:03}",
            expiry=None if listed.expiry is None else FAR,
        )
        self.symbol = self.instrument.venue_symbol
        self.duration_s = self.forms[-1].offset_s * (1 + 1 / len(self.forms))

    def frame(self, place: int, now_ms: int, turn: int) -> bytes:
        return self.forms[place].frame(self._name, now_ms, turn)

    def book(self, sent: int, turn: int) -> bytes:
        """The answer by REST when so many frames of this turn were sent, at least one in all."""
        assert self._start is not None
        last, (bids, asks) = 0, self._start
        sides = dict(bids), dict(asks)
        of_book = [place for place, form in enumerate(self.forms) if form.channel == self.feed.book]
        applied = [place for place in of_book if place < sent]
        for place in applied:
            last, *changed = self.feed.changes(self.frame(place, 0, turn))
            _apply(sides, *changed)
        if not applied:
            last, *_ = self.feed.changes(self.frame(of_book[-1], 0, turn - 1))
        return self.feed.answer(last, sides, 0)


def tracks(feed: type[Feed], symbols: int | None = None) -> list[Track]:
    """So many symbols of a venue, the recorded ones under several names; each of them once where it is not said."""
    found = _all_recorded(feed)
    return [Track(feed, one, number) for number, one in enumerate(islice(cycle(found), symbols or len(found)))]


@cache
def _all_recorded(feed: type[Feed]) -> list[Recorded]:
    return [one for recording in feed.recordings() for one in _recorded(feed, recording)]


def _recorded(feed: type[Feed], recording: Recording) -> Iterator[Recorded]:
    """The symbols of a recording that are played: those with ten frames, and with a book to begin with."""
    played, listed = entries(recording), _instruments(recording)
    frames = defaultdict[str, list[tuple[float, bytes]]](list)
    numbers = Counter[str]()
    for entry in played:
        if entry.kind == "frame" and (key := feed.key(entry.frame)) is not None:
            frames[key[1]].append((entry.received_ns / 1e9, feed.present(entry.frame, numbers[key[1]])))
            numbers[key[1]] += 1
    books = feed.snapshots(played) if feed.by_rest else {}
    for symbol, all_rows in frames.items():
        if feed.by_rest:
            last, start = books.get(symbol, (math.inf, None))
            rows = _joined(feed, all_rows, last)
            if start is not None and rows:
                rows.append((rows[-1][0], _bridge(feed, symbol, [frame for _, frame in rows], start)))
        else:
            rows, start = all_rows, None
        if symbol in listed and len(rows) >= FEWEST:
            yield listed[symbol], _forms(feed, symbol, rows), start


def _joined(feed: type[Feed], rows: list[tuple[float, bytes]], last: float) -> list[tuple[float, bytes]]:
    """What comes after the snapshot, from the first change that it does not hold on."""
    for place, (_, frame) in enumerate(rows):
        key = feed.key(frame)
        if key is not None and key[0] == feed.book and feed.changes(frame)[0] > last:
            return rows[place:]
    return []


def _instruments(recording: Recording) -> dict[str, Instrument]:
    """By the venue's symbol, from its list where one was recorded; perpetuals come first."""
    found = {
        row.venue_symbol: row for row in sorted(known(recording.venue), key=lambda row: row.kind is Kind.PERPETUAL)
    }
    session = session_of(recording.venue)
    for entry in entries(recording):
        if entry.kind == "answer":
            events = session.receive(entry.frame, entry.received_ns)
            found |= {event.instrument.venue_symbol: event.instrument for event in events if isinstance(event, Listing)}
    return found


def _bridge(feed: type[Feed], symbol: str, frames: list[bytes], start: Sides) -> bytes:
    """The frame that leads the book back to where these frames began."""
    last, sides = 0, (dict(start[0]), dict(start[1]))
    for frame in frames:
        if (key := feed.key(frame)) is not None and key[0] == feed.book:
            last, *changed = feed.changes(frame)
            _apply(sides, *changed)
    bids, asks = (
        [(price, "0") for price in end if price not in begin]
        + [(price, size) for price, size in begin.items() if end.get(price) != size]
        for end, begin in zip(sides, start, strict=True)
    )
    return feed.bridge(symbol, last, bids, asks)


def _forms(feed: type[Feed], symbol: str, rows: list[tuple[float, bytes]]) -> list[Form]:
    name = rb"(?<![A-Za-z0-9_-])(?=%s(?![A-Za-z0-9_-]))" % re.escape(symbol).encode()
    blank = re.compile(rb'"(%s)":"?(\d+)|(?i:%s)' % ("|".join(feed.fields).encode(), name))
    channels = [key[0] if (key := feed.key(frame)) else "" for _, frame in rows]
    spans = _spans(feed, blank, zip(channels, (frame for _, frame in rows), strict=True))
    return [
        _form(feed, blank, at_s - rows[0][0], channel, frame, spans.get(channel, 0))
        for channel, (at_s, frame) in zip(channels, rows, strict=True)
    ]


def _spans(feed: type[Feed], blank: re.Pattern[bytes], frames: Iterable[tuple[str, bytes]]) -> dict[str, int]:
    """By channel, what its numbers gain in a turn. A number of the frame before counts as the turn's first."""
    numbers, names_before = defaultdict[str, list[int]](list), set[str]()
    for channel, frame in frames:
        found = [(name.decode(), int(value)) for name, value in blank.findall(frame) if name]
        numbers[channel] += [value for name, value in found if feed.fields[name] == NUMBER]
        names_before |= {channel for name, _ in found if name in BEFORE}
    return {
        channel: max(found) - min(found) + (channel not in names_before) for channel, found in numbers.items() if found
    }


def _form(feed: type[Feed], blank: re.Pattern[bytes], offset_s: float, channel: str, frame: bytes, span: int) -> Form:
    found = list(blank.finditer(frame))
    times = [int(one[2]) for one in found if one[1] and feed.fields[one[1].decode()] == MS]
    pieces, blanks, end = list[bytes](), list[tuple[int, int]](), 0
    for one in found:
        kind = feed.fields[one[1].decode()] if one[1] else NAME
        begin = one.start(2) if one[1] else one.start()
        pieces += [frame[end:begin].replace(b"%", b"%%"), b"%b" if kind == NAME else b"%d"]
        value = 0 if kind in (NAME, S) else int(one[2])
        blanks.append((kind, max(times) - value if kind == MS else value))
        end = one.end(2) if one[1] else begin
    pieces.append(frame[end:].replace(b"%", b"%%"))
    return Form(offset_s, channel, b"".join(pieces), tuple(blanks), span)


def _apply(sides: Sides, bids: Iterable[Any], asks: Iterable[Any]) -> None:
    for side, levels in zip(sides, (bids, asks), strict=True):
        for price, size in levels:
            if float(size):
                side[price] = size
            else:
                side.pop(price, None)


def _best(sides: Sides, levels: int) -> Iterator[dict[str, str]]:
    for side, is_bid in zip(sides, (True, False), strict=True):
        prices = sorted(side, key=float, reverse=is_bid)[:levels]
        yield {price: side[price] for price in prices}


def _pairs(rows: list[Message]) -> list[tuple[str, str]]:
    return [(row["p"], str(row["s"])) for row in rows]


def _row(price: str, size: str) -> Message:
    return {"p": price, "s": int(size)}


def listing(venue_id: str, rows: list[Instrument]) -> Venue:
    """The venue, but that its list is these instruments, asked for by one call."""
    base: type = type(venue(venue_id))

    class Listed(base):  # type: ignore[misc]
        def instruments_requests(self) -> tuple[Request, ...]:
            return (Request(LISTED, purpose="instruments"),)

        def parse_instruments(self, body: bytes) -> InstrumentList:
            return InstrumentList(rows)

        def more(self, body: bytes) -> Request | None:
            return None

    made: Venue = Listed()
    return made
