"""What Binance's spot and futures sockets share: combined streams, requests and their replies, books by REST snapshot.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams. Combined streams only: a partial book
names its symbol nowhere but in the stream's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from urllib.parse import quote

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ChannelKind, Output, Reconnect, Request
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.base_session import Read
from mdplatform.venuekit.books.diff import Snapshot
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.snapshot_session import SnapshotSession
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb
from mdplatform.venuekit.trade_ids import Missing
from mdplatform.venues.binance import wire
from mdplatform.venues.binance.market import StreamMarket

STREAMS_A_MESSAGE = 250
SILENCE_NS = 60 * SECOND
SILENT_BOOK_NS = 60 * SECOND  # before the stream of a book is asked for again
NEVER_SILENT = ("book", "funding")  # where nobody trades, no other stream sends anything
TRADES_A_REQUEST = 1000
LIFETIME_S = 24 * 3600.0


Take = Callable[[StreamMarket, bytes, int], list[Output]]


class StreamSession(SnapshotSession[StreamMarket]):
    """One combined-stream connection. ``beside``: channels that serve the feed of another one.

    A venue hands in ``takes``: what reads the streams of a channel, by the word that their names begin with
    (``depth20`` of ``depth20@100ms``). ``ignored``: words of documented streams that give no event; a recording may
    hold them. ``bare``: that word by the ``e`` of messages where the two differ. ``terms``: the venue's limits.
    """

    name_behind = b'{"stream":"'
    snapshot_path = "/depth"
    repeated = "repeated_diff"
    beside: frozenset[Channel] = frozenset()

    def __init__(
        self,
        exchange: str,
        markets: Markets[StreamMarket],
        channels: tuple[Channel, ...],
        takes: Mapping[Channel, Take],
        *,
        parse_list: Callable[[bytes], InstrumentList],
        ignored: frozenset[str],
        bare: Mapping[str, str],
        terms: Terms,
    ) -> None:
        regular = any(channel.kind in NEVER_SILENT for channel in channels)
        super().__init__(exchange, markets, SILENCE_NS if regular else int(LIFETIME_S) * SECOND)
        self.channels = channels
        self.streams = channels  # those that are streams
        self._takes = {channel.name: (channel, take) for channel, take in takes.items() if channel in channels}
        # A recording may hold another speed of a channel than the one that is wanted. Of two channels with one word the
        # first that is wanted also reads what neither is.
        for channel, take in sorted(takes.items(), key=lambda item: item[0] not in channels):
            self._takes.setdefault(word_of(channel.name), (channel, take))
        self._parse_list = parse_list
        self._unused = ignored
        self._words = bare
        self._now_ns = 0  # of the last tick
        self.subscriptions: Subscriptions[str] = Subscriptions(terms, self._request, self._feeds)

    # --- requests and replies

    def subscribe(self, now_ns: int) -> list[Output]:
        self.readers.clear()
        names = [f"{i.venue_symbol.lower()}@{c.name}" for i in self.markets.instruments for c in self.streams]
        return self.subscriptions.connected(names, now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        self._now_ns = now_ns
        return super().tick(now_ns)

    def topics_of(self, market: StreamMarket, kind: ChannelKind) -> list[str]:
        # To end a stream of diffs and to begin it again breaks its chain, which costs a snapshot by REST: not for the
        # pause of a quiet symbol.
        if kind == "book" and self._now_ns - market.feed("book").last_ns < SILENT_BOOK_NS:
            return []
        return [f"{market.venue_symbol.lower()}@{c.name}" for c in self.streams if c.kind == kind]

    def _feeds(self, stream: str) -> list[tuple[StreamMarket, ChannelKind]]:
        symbol, _, name = stream.partition("@")
        return [(self.markets.of(symbol.upper()), c.kind) for c in self.channels if c.name == name]

    def _request(self, verb: Verb, streams: Sequence[str], number: int) -> bytes:
        return msgspec.json.encode({"method": verb.upper(), "params": streams, "id": number})

    def _replied(self, reply: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        """An acknowledgement, or the refusal of a request. Any name is acknowledged, that of no stream too."""
        number = reply.id if isinstance(reply.id, int) else -1
        problem = reply.error or reply
        if problem.code is not None or problem.msg is not None:
            # One bad stream refuses the whole message: each half is asked for by itself, down to the culprit.
            text = f"code {problem.code}: {problem.msg}"
            out, asked, bad = self.subscriptions.refused(text, received_ns, number)
            problem_text = f"{text}; streams asked for: {(bad or asked)[:5]}"
            return self.refuse(FrameError("venue_error", problem_text), frame, received_ns) + out
        if reply.id is None:
            raise FrameError("unknown_message", "neither a stream, a reply nor a REST answer that is documented")
        self.count("acknowledgement")
        return self.subscriptions.confirmed(received_ns, number)

    def snapshot(self, body: bytes) -> Snapshot:
        return wire.read_snapshot(body)

    # --- frames

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """A frame whose stream is new, or that belongs to none."""
        envelope = wire.read_envelope(frame)
        if envelope.stream is not None:
            read, outputs = self._begin(envelope.stream, frame, received_ns)
            self.readers[envelope.stream.encode()] = read
            return outputs
        if envelope.e == "serverShutdown":
            return [Reconnect("server_shutdown", overlap=True)]
        if envelope.e is not None or envelope.A is not None:
            return self._bare(envelope, frame, received_ns)
        if envelope.lastUpdateId is not None:
            return self.offered(frame, received_ns)
        if envelope.symbols is not None:
            return self.listed(self._parse_list(frame), received_ns)
        return self._replied(envelope, frame, received_ns)

    def _bare(self, envelope: wire.Envelope, message: bytes, received_ns: int) -> list[Output]:
        """A message of a raw stream (``/ws``), as a recording may hold: its own ``e`` states what it is."""
        name, symbol = envelope.e or "bookTicker", wire.symbol_of(envelope)
        if symbol[:1] == "!":  # it would be taken for a stream of all symbols, again and again
            raise FrameError("unknown_message", f"no such symbol: {symbol[:80]!r}")
        stream = f"{symbol}@{self._words.get(name, name)}"
        return self._begin(stream, b'{"data":' + message + b"}", received_ns)[1]

    def _begin(self, stream: str, frame: bytes, received_ns: int) -> tuple[Read, list[Output]]:
        """(what reads this stream from now on, what its first frame gives)."""
        symbol, _, name = stream.partition("@")
        if symbol[:1] == "!":
            return self._each, self._each(frame, received_ns)
        word = word_of(name)
        if word not in self._takes and word not in self._unused:
            raise FrameError("unknown_message", f"no such stream: {stream[:80]!r}")
        channel, take = self._takes.get(name) or self._takes.get(word) or (None, None)
        if channel is None or take is None or channel not in self.channels:
            return (read := partial(self._pass_over, word)), read(frame, received_ns)
        market = self.markets.of(symbol.upper())
        if channel not in self.beside and market.sources.get(channel.kind, name) != name:
            return (read := partial(self._pass_over, name)), read(frame, received_ns)
        read = partial(take, market)
        outputs = read(frame, received_ns)
        if channel not in self.beside:
            market.sources[channel.kind] = name
        return read, outputs

    def _each(self, frame: bytes, received_ns: int) -> list[Output]:
        """A stream of all symbols: one message or a list of them; those of symbols not listed are passed over."""

        def take(message: bytes) -> list[Output]:
            envelope = wire.read_envelope(message)
            if envelope.e == "serverShutdown":
                return [Reconnect("server_shutdown", overlap=True)]
            try:
                return self._bare(envelope, message, received_ns)
            except UnknownInstrument:
                return self.count("unlisted")

        return self.each(wire.read_messages(frame), take, frame, received_ns)

    def _pass_over(self, kind: str, frame: bytes, received_ns: int) -> list[Output]:
        wire.read_ignored(frame)
        return self.count(kind)


def trades_from(path: str, weight: int, instrument: Instrument) -> Callable[[Missing | None], Request]:
    """The call for lost trades, by a ``path`` that lists them from an id on."""

    def request(missing: Missing | None) -> Request:
        query = f"symbol={quote(instrument.venue_symbol)}"
        if missing is not None:
            count = missing.last - missing.first + 1
            query += f"&fromId={missing.first}&limit={min(TRADES_A_REQUEST, count)}"
        return Request(f"{path}?{query}", weight, instrument.symbol, "trades")

    return request


def word_of(name: str) -> str:
    """``depth20`` of ``depth20@100ms``, ``kline`` of ``kline_1m``."""
    return name.partition("@")[0].partition("_")[0]
