"""What every venue's session shares: markets, subscriptions, rejected frames, timers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from mdplatform.core.bounds import HEAD_BYTES, LARGE_FRAME_BYTES, is_overfull
from mdplatform.core.clock import MS
from mdplatform.core.errors import FrameError, Overfull, UnknownInstrument
from mdplatform.core.events import DeadLetter, Listing, Trade
from mdplatform.core.feed_status import FeedState
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import REFUSALS, ChannelKind, Output, Progress, Request, Send, refused
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.liveness import Liveness
from mdplatform.venuekit.market import Market, Markets
from mdplatform.venuekit.pings import Pings
from mdplatform.venuekit.rows import RowTaking
from mdplatform.venuekit.silence import SilentChannels
from mdplatform.venuekit.subscriptions import Refused, Subscriptions, Verb

M = TypeVar("M", bound=Market)
Read = Callable[[bytes, int], list[Output]]
"""What reads the frames of a channel, by the time of receipt."""


class SocketSession(RowTaking, Generic[M]):
    """A venue adds ``subscriptions``, ``subscribe``, its ``readers`` and ``unfamiliar``, and more where it differs.

    ``silence_ns``: no frame at all for so long means a dead socket. ``ping_every_ns``: where the venue wants pings as
    messages, which it then begins (``pings.begin``) and writes (``ping``).
    """

    subscriptions: Subscriptions[Any]  # of the connection, set by the venue
    # Where a frame states its channel: behind these bytes, with which it begins, up to the next quote; or, where that
    # is not enough, in the first group of an expression.
    name_behind: bytes = b""
    name_in: re.Pattern[bytes] | None = None

    def __init__(self, exchange: str, markets: Markets[M], silence_ns: int, ping_every_ns: int = 0) -> None:
        self.exchange = exchange
        self.markets = markets
        self.live = Liveness(silence_ns)
        self.silent = SilentChannels()
        self.pings = Pings(ping_every_ns)
        self.conn = ""
        self.readers: dict[bytes, Read] = {}  # by the channel's name as it stands in a frame
        self._behind = self.name_behind or b"\0"  # with which no frame begins
        self._name_at = len(self._behind)
        self._ignored: Counter[str] = Counter()

    @property
    def ignored(self) -> Counter[str]:
        return self._ignored

    # --- what a venue adds

    def subscribe(self, now_ns: int) -> list[Output]:
        """The frames that ask for the channels; every market is connected already."""
        raise NotImplementedError

    def ping(self, now_ns: int) -> bytes:
        """The frame of a ping."""
        raise NotImplementedError

    def topics_of(self, market: M, kind: ChannelKind) -> Iterable[Hashable]:
        """The topics that bring this feed, as ``subscriptions`` knows them: asked for again where it falls silent."""
        return ()

    def may_ask_again(self, market: M, feed: FeedState) -> bool:
        """Whether the channel of a silent feed of the market is asked for again, or only marked."""
        return True

    def is_heard(self, market: M, kind: ChannelKind) -> bool:
        """Whether the channel sends though its feed is not valid yet: a book that waits for its snapshot."""
        return False

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """What follows from a frame of a channel that has no reader, or of none; raises one of ``REFUSALS``."""
        raise NotImplementedError

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        """What follows from a frame; raises one of ``REFUSALS`` for what the venue could not have sent.

        The channel's name is read in place: it states the type, so that a message is decoded only once, by its reader.
        """
        read = None
        if frame.startswith(self._behind):
            at = self._name_at
            read = self.readers.get(frame[at : frame.find(b'"', at)])
        elif self.name_in is not None and (head := self.name_in.search(frame)) is not None:
            read = self.readers.get(head[1])
        return self.unfamiliar(frame, received_ns) if read is None else read(frame, received_ns)

    def refuse(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        """A frame could not be read: it is kept. Where no later message would show the loss, a venue adds to this."""
        return [refused(error, self.exchange, frame, received_ns, self.conn)]

    def read_trades(self, market: M, body: bytes, received_ns: int) -> Iterable[Output]:
        """The answer to a request of ``Market.backfill_trades_by``, oldest first: ``market.trade(..., "rest")``.

        Raises one of ``REFUSALS`` where the whole answer cannot be read; a bad row is refused by ``each``.
        """
        raise NotImplementedError

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        """The answer to a request for trades; a venue that asks for more adds its own."""
        market = next((m for m in self.markets if m.backfill is not None and request in m.backfill.asking()), None)
        return [] if market is None else self.filled(market, status, body, received_ns)

    def recall(self, path: str, body: bytes, received_ns: int) -> list[Output] | None:
        """On a tape: trades do not name their market everywhere, but the call does."""
        for market in self.markets:
            if market.backfill is not None and any(request.path == path for request in market.backfill.asking()):
                return self.filled(market, 200, body, received_ns)
        return None

    def filled(self, market: M, status: int, body: bytes, received_ns: int) -> list[Output]:
        """What follows from the answer to a market's request for trades."""
        backfill = market.backfill
        if backfill is None:
            return []
        if status != 200:
            backfill.failed(received_ns)
            return []
        out: list[Output] = []
        try:
            for output in self.read_trades(market, body, received_ns):
                out.append(output)  # one by one: those before a bad row are not given a second time
        except REFUSALS as error:
            backfill.failed(received_ns)
            return [*out, refused(error, self.exchange, body, received_ns, self.conn)]
        brought = any(isinstance(event, Trade) for event in out)
        if any(isinstance(event, DeadLetter) for event in out) and not (brought and market.sequential_ids):
            backfill.failed(received_ns)
            return out
        return [*out, *backfill.answered(brought, received_ns)]

    # --- what is the same everywhere

    def resume(self, last: Mapping[str, int], until_ns: Mapping[str, int] | None = None) -> None:
        """See ``ResumesTradeIds``: what was lost between two collectors shows, where trades are numbered."""
        for market in self.markets.all():
            if market.sequential_ids is not None and market.symbol in last:
                market.sequential_ids.resume(last[market.symbol], (until_ns or {}).get(market.symbol, 0))

    def publish_changes(self, wanted: Callable[[str], bool]) -> None:
        """See ``PublishesBookChanges``."""
        self.markets.publish_changes(wanted)

    @property
    def instruments(self) -> Instruments:
        return self.markets.instruments

    def relisted(self, now_ns: int) -> list[Output]:
        """See ``Listed``."""
        return self.subscriptions.retry_refused(now_ns)

    def count(self, kind: str) -> list[Output]:
        """A documented frame that gives no event."""
        self._ignored[kind] += 1
        return []

    def refusal(
        self,
        answer: Refused[Any],
        text: str,
        frame: bytes,
        now_ns: int,
        verb: Verb = "subscribe",
        about: Iterable[Any] | None = None,
    ) -> list[Output]:
        """What follows from the refusal of a request: it is kept with ``text``.

        ``about``: the topics that it concerns, where those are not ``answer.about``. Of contracts whose day of expiry
        has come it is counted: so they end; so it is of an unsubscription: what is not there cannot be ended.
        """
        if answer.asked and verb == "unsubscribe":
            return answer.outputs + self.count("unsubscribe_refused")
        topics = answer.about if about is None else about
        concerned = [market for topic in topics for market, _ in self.subscriptions.feeds(topic)]
        if concerned and all(market.instrument.expires_by(now_ns) for market in concerned):
            return answer.outputs + self.count("expired_contract")
        return answer.outputs + self.refuse(FrameError("venue_error", text), frame, now_ns)

    def feeds_of(self, symbol: str, kinds: Iterable[ChannelKind]) -> list[tuple[M, ChannelKind]]:
        """Feeds of a symbol; none where it is not known, as in a recording whose instrument list is not at hand."""
        try:
            return [(self.markets.of(symbol), kind) for kind in kinds]
        except UnknownInstrument:
            return []

    def listed(self, stated: InstrumentList, received_ns: int) -> list[Output]:
        """A venue's list in a recording: from here on its symbols are known. Rows of it that are refused are kept."""
        out: list[Output] = []
        for instrument in stated.instruments:
            self.markets.instruments.add(instrument)
            out.append(Listing(instrument, received_ns))
        return out + stated.letters(self.exchange, received_ns, self.conn)

    def connected(self, conn: str, now_ns: int) -> list[Output]:
        self.conn = conn
        self.live.connected(now_ns)
        self.pings.end()  # until the venue begins them
        out = [output for market in self.markets.all() for output in market.connected(now_ns)]
        return out + self.subscribe(now_ns)

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        self.live.heard(received_ns)
        if len(frame) > LARGE_FRAME_BYTES and is_overfull(frame):  # called for few: nearly all are shorter
            return self.refuse(Overfull(len(frame)), frame[:HEAD_BYTES], received_ns)
        try:
            return self.read(frame, received_ns)
        except REFUSALS as error:
            return self.refuse(error, frame, received_ns)

    def progress(self) -> Progress:
        return self.subscriptions.progress()

    def cadences_ms(self) -> dict[str, float]:
        means: defaultdict[str, list[int]] = defaultdict(list)
        for market in self.markets:
            for kind, feed in market.feeds.items():
                if feed.mean_ns is not None:
                    means[kind].append(feed.mean_ns)
        return {kind: sorted(found)[len(found) // 10] / MS for kind, found in means.items()}

    def tick(self, now_ns: int) -> list[Output]:
        out = [output for market in self.markets for output in market.tick(now_ns)] + [*self.live.tick(now_ns)]
        out += self.subscriptions.tick(now_ns)
        if self.pings.tick(now_ns):
            out.append(Send(self.ping(now_ns)))
        return out + self._ask_silent(now_ns) if self.live.is_connected else out

    def _ask_silent(self, now_ns: int) -> list[Output]:
        """Ask again for the channels that fell silent alone."""
        out: list[Output] = []
        for market in self.markets:
            for kind, feed in market.feeds.items():
                if self.silent.is_due(feed, now_ns) and not self.is_heard(market, kind):
                    topics = list(self.topics_of(market, kind))
                    if not topics and feed.state == "stale":
                        continue  # the venue's rule is to wait longer: nothing was requested yet
                    if not market.instrument.expires_by(now_ns) and self.may_ask_again(market, feed):
                        out += self.subscriptions.renew(topics, now_ns)
                    out += self.silent.asked(feed, now_ns)
        return out

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        self.live.closed()
        self.pings.end()
        self.subscriptions.closed(cause, now_ns)
        return [output for market in self.markets for output in market.closed(cause, now_ns)]
