"""The subscriptions of one connection: requests in batches at the venue's pace, their answers, and what was refused.

A venue names its topics (any hashable value), writes the frames that ask for them and reads the replies; which request
a reply belongs to, when the next one may leave, what a refusal costs and when to ask again are decided here. No socket
and no clock: times are arguments.

- The deadline of an acknowledgement counts from the moment when its request leaves, not from when it is queued.
- One bad topic costs no other: a refusal that names topics costs those, a refusal that names none is narrowed down by
  halves, and where the venue closes the connection instead, what was in flight is asked for one by one on the next one.
- A topic that is refused stays refused over reconnects, its feeds are ``down`` with the cause ``refused``, and it is
  asked for again after a minute, then with growing intervals, and when the venue's list changed (``retry_refused``).
  Where the venue closes the connection on it, the retry waits for a connection that is new for another reason.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from mdplatform.core.backoff import doubled
from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import ChannelKind, Output, Progress, Reconnect, Send
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.liveness import ACK_NS

UNANSWERED = 2  # requests for a topic that may stay without answer before it is given up
# Connections that ended while a topic was the only one asked for, before it is refused: so many where another topic was
# taken on that connection before, so many where no other is wanted. A venue that closes all there is refuses nothing.
STRIKES, LONE_STRIKES = 2, 4
# Before a refused topic is asked for again: at first, and at most; lists are read as often.
FIRST_RETRY_NS, RETRY_NS = 60 * SECOND, 3600 * SECOND
HOUR_NS = 3600 * SECOND

Verb = Literal["subscribe", "unsubscribe"]
T = TypeVar("T", bound=Hashable)


class Topic(NamedTuple):
    """One symbol of a channel, as a venue names both; no symbol where the channel is of none."""

    channel: str
    symbol: str

    def __str__(self) -> str:
        return f"{self.channel} {self.symbol}".rstrip()


def channel_of(topic: Topic) -> str:
    """A ``group``: topics of one request have the same channel."""
    return topic.channel


class Subscriber(Protocol):
    """One symbol, as its subscriptions see it."""

    def acknowledged(self, kind: ChannelKind, now_ns: int) -> list[Output]: ...

    def feed(self, kind: ChannelKind) -> FeedState: ...

    @property
    def instrument(self) -> Instrument: ...


@dataclass(frozen=True)
class Terms:
    """What a venue allows on one connection, and how it refuses.

    ``opening_s``: after a connection opened, how long before the first request leaves. ``pace``: so many requests in
    any window of so many seconds, with room left for pings. ``in_flight``: requests that
    wait for their answer at a time; 1 where replies do not say which request they answer. ``hourly``: requests an hour;
    where they are spent the connection is renewed. ``settle_s``: after a refusal of a part, how long the venue may take
    to confirm the rest, before that is asked for again. ``closes_on_bad``: the venue refuses a topic by closing.
    """

    topics_a_request: int
    pace: tuple[int, float] = (3, 1.0)
    in_flight: int = 10
    hourly: int | None = None
    settle_s: float = 0.0
    closes_on_bad: bool = False
    opening_s: float = 0.0


def verb_of(word: object) -> Verb:
    """What a reply is about, by the venue's word for it."""
    return "unsubscribe" if word == "unsubscribe" else "subscribe"


class Refused(NamedTuple, Generic[T]):
    """What a refusal comes to."""

    outputs: list[Output]
    asked: list[T]  # what the request still asked for
    bad: list[T]  # those of it that are refused; none where it is not known yet which

    @property
    def about(self) -> list[T]:
        """Those that are refused or, where it is not known yet which, all that were asked for."""
        return self.bad or self.asked


@dataclass
class _Request(Generic[T]):
    verb: Verb
    open: dict[T, None]  # topics neither confirmed nor refused, in the order asked
    is_alone: bool = False  # nothing else is in flight beside it: the end of the connection would be its answer
    is_control: bool = False  # asked for first, to see that the venue takes anything at all on this connection
    number: int = 0
    sent_ns: int = 0
    settles_ns: int | None = None  # a part was refused: by then the rest is confirmed, or it is asked for again
    halves: bool = False  # then in halves: nothing says which topic was bad


@dataclass
class _Refusal:
    reason: str
    cause: str
    retry_ns: int  # when it is asked for again


@dataclass
class _Memory(Generic[T]):
    """What is known of topics; it outlives connections."""

    wanted: dict[T, None] = field(default_factory=dict)
    refused: dict[T, _Refusal] = field(default_factory=dict)
    suspects: dict[T, None] = field(default_factory=dict)  # in flight when a connection ended
    strikes: Counter[T] = field(default_factory=Counter)
    refusals: Counter[T] = field(default_factory=Counter)  # since it was last taken

    def refuse(self, topic: T, reason: str, cause: str, now_ns: int) -> None:
        pause_ns = doubled(FIRST_RETRY_NS, self.refusals[topic], RETRY_NS)
        self.refusals[topic] += 1
        self.refused[topic] = _Refusal(reason, cause, now_ns + pause_ns)

    def due(self, now_ns: int) -> list[T]:
        """Refused topics that are to be asked for again."""
        return [topic for topic, refusal in self.refused.items() if now_ns >= refusal.retry_ns]


class Subscriptions(Generic[T]):
    """``write(verb, topics, number)`` is the frame of a request; ``feeds(topic)`` are those that a topic brings.

    ``group``: topics of one request must have the same; where it is the topic itself, each is asked for alone.
    ``kin``: where the venue closes the connection on a topic, those with the same are refused with it, unless one of
    them is held.
    """

    def __init__(
        self,
        terms: Terms,
        write: Callable[[Verb, Sequence[T], int], bytes],
        feeds: Callable[[T], Iterable[tuple[Subscriber, ChannelKind]]],
        group: Callable[[T], Hashable] | None = None,
        kin: Callable[[T], Hashable] | None = None,
    ) -> None:
        self.terms = terms
        self._write, self.feeds = write, feeds
        self._group = group or (lambda topic: None)
        self._kin = kin or (lambda topic: topic)
        self._topics: _Memory[T] = _Memory()
        self._held: dict[T, None] = {}
        self._queue: deque[_Request[T]] = deque()
        self._flying: dict[int, _Request[T]] = {}  # by number, oldest first
        self._number = 0
        self._sent_ns: deque[int] = deque()  # within the window of the pace
        self._hour_ns: deque[int] = deque()
        self._unanswered: Counter[T] = Counter()
        self._is_open = False
        self._opened_ns = 0  # from when on requests may leave
        self._is_answered = False  # a reply of any kind came on this connection

    # --- the connection

    def connected(self, topics: Iterable[T], now_ns: int) -> list[Output]:
        """A new connection: ask for these. What was in flight when the last one ended comes first, one by one, and
        before that one that was not: by its answer the end of the connection says something of the suspects."""
        self._forget()
        self._is_open, self._opened_ns = True, now_ns + int(self.terms.opening_s * SECOND)
        known = self._topics
        known.wanted = dict.fromkeys(topics)
        if self.terms.closes_on_bad:  # once more, and one more connection that ends on it refuses it again
            for topic in known.due(now_ns):
                del known.refused[topic]
                known.suspects[topic], known.strikes[topic] = None, STRIKES - 1
        known.suspects = {topic: None for topic in known.suspects if topic in known.wanted}
        out = [status for topic in known.wanted if topic in known.refused for status in self._down(topic, now_ns)]
        suspects = [topic for topic in known.suspects if topic not in known.refused]
        rest = [topic for topic in known.wanted if topic not in known.refused and topic not in known.suspects]
        if suspects and rest:
            self._queue.append(_Request("subscribe", {rest.pop(0): None}, is_alone=True, is_control=True))
        self._queue += [_Request("subscribe", {topic: None}, is_alone=True) for topic in suspects]
        self._put("subscribe", rest)
        return out + self._flush(now_ns)

    def closed(self, cause: str, now_ns: int) -> None:
        """The connection ended. Where the venue refuses by closing, what was in flight is suspected."""
        if self._is_open and self.terms.closes_on_bad and cause not in ("renewed", "stopped"):
            for request in self._flying.values():
                if request.verb == "subscribe" and not request.is_control:
                    for topic in request.open:
                        self._suspect(topic, request.is_alone, now_ns)
        self._forget()

    def progress(self) -> Progress:
        known = self._topics
        # Asked for at every tick: no more work than there are refused topics.
        refused = [topic for topic in known.refused if topic in known.wanted]
        names = {_name(topic): known.refused[topic].reason for topic in refused}
        return Progress(len(known.wanted), len(self._held) - sum(topic in self._held for topic in refused), names)

    def tick(self, now_ns: int) -> list[Output]:
        """Requests that may leave now, those that stay without answer, and what was refused an hour ago."""
        if not self._is_open:
            return []
        out: list[Output] = []
        for request in list(self._flying.values()):
            if not self._is_open:
                return out  # given up
            if request.settles_ns is not None and now_ns >= request.settles_ns:
                self._ask_rest(request)
            elif request.settles_ns is None and now_ns - request.sent_ns > ACK_NS:
                out += self._missed(request, now_ns)
        if not (self.terms.closes_on_bad and self._held):  # else a retry may cost what is held
            out += self._pardon(self._topics.due(now_ns), now_ns)
        return out + self._flush(now_ns)

    # --- asking

    def renew(self, topics: Iterable[T], now_ns: int) -> list[Output]:
        """Subscribe again to topics that are held, which brings their snapshots: first the end of the subscription.

        One that is asked for already is not asked for twice. Nothing happens where there are none.
        """
        topics = list(topics)
        if not topics:
            return []
        awaited = {topic for request in (*self._queue, *self._flying.values()) for topic in request.open}
        names = [topic for topic in topics if topic not in self._topics.refused and topic not in awaited]
        self._put("unsubscribe", [topic for topic in names if topic in self._held])
        self._put("subscribe", names)
        return self._flush(now_ns)

    def retry_refused(self, now_ns: int) -> list[Output]:
        """The venue's list changed: ask for what was refused again."""
        return self._pardon(list(self._topics.refused), now_ns) + self._flush(now_ns)

    # --- being answered

    def confirmed(
        self, now_ns: int, number: int | None = None, topics: Iterable[T] | None = None, verb: Verb = "subscribe"
    ) -> list[Output]:
        """The venue took a request: by its number, by the topics it names, or (neither) the oldest in flight.

        A topic that nobody asked for on this connection is confirmed all the same.
        """
        named = None if topics is None else list(topics)
        found = self._find(number, named, verb)
        if number is not None and found:
            verb = found[0].verb  # whatever the reply says of it
        if named is None:
            named = list(found[0].open) if found else []
        for request in found:
            for topic in named:
                request.open.pop(topic, None)
            self._settle(request)
        if verb == "unsubscribe":
            for topic in named:
                self._held.pop(topic, None)
            return self._flush(now_ns)
        out: list[Output] = []
        for topic in named:
            out += self._take(topic, now_ns)
        return out + self._flush(now_ns)

    def refused(
        self,
        reason: str,
        now_ns: int,
        number: int | None = None,
        topics: Iterable[T] | None = None,
        verb: Verb | None = None,
    ) -> Refused[T]:
        """The venue refused a request, found as in ``confirmed``; ``topics``: those that it names as bad.

        The other topics of the request are asked for again.
        """
        named = None if topics is None else list(topics)
        found = self._find(number, named, verb)
        if not found:
            return Refused([], [], [])
        request = found[0]
        asked = list(request.open)
        bad = [topic for topic in named or () if topic in request.open]
        if not bad and len(asked) == 1:
            bad = asked
        out: list[Output] = []
        for topic in bad:
            request.open.pop(topic, None)
            if request.verb == "subscribe":
                self._topics.refuse(topic, reason, "refused", now_ns)
                self._held.pop(topic, None)
                out += self._down(topic, now_ns)
        if request.verb == "unsubscribe":
            request.open.clear()  # what cannot be ended is not held
        request.halves = not bad and (request.settles_ns is None or request.halves)  # each bad one may have its error
        request.settles_ns = now_ns + int(self.terms.settle_s * SECOND)
        self._settle(request)
        if request.number in self._flying and not self.terms.settle_s:
            self._ask_rest(request)
        return Refused(out + self._flush(now_ns), asked, bad)

    # --- within

    def _forget(self) -> None:
        self._is_open = False
        self._held.clear()
        self._queue.clear()
        self._flying.clear()
        self._sent_ns.clear()
        self._hour_ns.clear()
        self._unanswered.clear()
        self._is_answered = False

    def _put(self, verb: Verb, topics: Sequence[T]) -> None:
        size = self.terms.topics_a_request
        for _, same in groupby(topics, self._group):
            batch = list(same)
            for start in range(0, len(batch), size):
                self._queue.append(_Request(verb, dict.fromkeys(batch[start : start + size])))

    def _flush(self, now_ns: int) -> list[Output]:
        """The requests that may leave now."""
        out: list[Output] = []
        while self._queue and self._may_send(self._queue[0], now_ns):
            if self.terms.hourly is not None and len(self._hour_ns) >= self.terms.hourly:
                return [*out, Reconnect("requests_spent", overlap=True)]
            request = self._queue.popleft()
            if not request.open:
                continue
            self._number += 1
            request.number, request.sent_ns = self._number, now_ns
            self._flying[request.number] = request
            self._sent_ns.append(now_ns)
            if self.terms.hourly is not None:
                self._hour_ns.append(now_ns)
            out.append(Send(self._write(request.verb, list(request.open), request.number), paced=True))
        return out

    def _may_send(self, request: _Request[T], now_ns: int) -> bool:
        if now_ns < self._opened_ns:
            return False
        units, seconds = self.terms.pace
        _expire(self._sent_ns, now_ns - int(seconds * SECOND))
        _expire(self._hour_ns, now_ns - HOUR_NS)
        alone = request.is_alone or any(other.is_alone for other in self._flying.values())
        return len(self._sent_ns) < units and len(self._flying) < (1 if alone else self.terms.in_flight)

    def _find(self, number: int | None, topics: Sequence[T] | None, verb: Verb | None) -> list[_Request[T]]:
        """The requests in flight that a reply is about."""
        self._is_answered = True
        if number is not None:
            request = self._flying.get(number)
            return [] if request is None else [request]
        alike = [request for request in self._flying.values() if verb in (None, request.verb)]
        if topics is not None:
            holding = [request for request in alike if any(topic in request.open for topic in topics)]
            return holding
        return alike[:1]

    def _settle(self, request: _Request[T]) -> None:
        """Forget a request of which nothing is open."""
        if not request.open:
            self._flying.pop(request.number, None)

    def _take(self, topic: T, now_ns: int) -> list[Output]:
        known = self._topics
        self._held[topic] = None
        known.refused.pop(topic, None)
        known.suspects.pop(topic, None)
        known.strikes.pop(topic, None)
        known.refusals.pop(topic, None)
        self._unanswered.pop(topic, None)
        return [event for market, kind in self.feeds(topic) for event in market.acknowledged(kind, now_ns)]

    def _ask_rest(self, request: _Request[T]) -> None:
        """Ask again for what a refused request left open; in halves where the refusal named nothing."""
        self._flying.pop(request.number, None)
        rest = [topic for topic in request.open if topic not in self._topics.refused]
        middle = len(rest) // 2 if request.halves else 0
        for part in (rest[:middle], rest[middle:]):
            if part:
                self._queue.append(_Request(request.verb, dict.fromkeys(part)))

    def _missed(self, request: _Request[T], now_ns: int) -> list[Output]:
        """A request stayed without answer. Where none at all was answered, or most were not, another connection may do
        better; a topic that stays without answer alone is asked for once more, and then given up for now."""
        self._flying.pop(request.number, None)
        if request.verb == "unsubscribe":
            return []
        if not self._is_answered:
            return self._give_up_connection()
        out: list[Output] = []
        for topic in request.open:
            self._unanswered[topic] += 1
            if self._unanswered[topic] < UNANSWERED:
                self._queue.append(_Request("subscribe", {topic: None}))
                continue
            self._topics.refuse(topic, "the request was not acknowledged", "subscribe_timeout", now_ns)
            out += self._down(topic, now_ns)
        unanswered = [t for t, refusal in self._topics.refused.items() if refusal.cause == "subscribe_timeout"]
        if 2 * len(unanswered) > len(self._topics.wanted):
            for topic in unanswered:
                del self._topics.refused[topic]
            return out + self._give_up_connection()
        return out

    def _give_up_connection(self) -> list[Output]:
        self._is_open = False  # once a connection
        return [Reconnect("subscribe_timeout")]

    def _suspect(self, topic: T, was_alone: bool, now_ns: int) -> None:
        known = self._topics
        known.suspects[topic] = None
        if was_alone:
            known.strikes[topic] += 1
        if known.strikes[topic] < (STRIKES if self._held else LONE_STRIKES):
            return
        kin = self._kin(topic)
        spared = any(self._kin(other) == kin for other in self._held)
        for other in [topic] if spared else [t for t in known.wanted if self._kin(t) == kin]:
            known.refuse(other, "the venue closes the connection on it", "refused", now_ns)
            known.suspects.pop(other, None)

    def _pardon(self, topics: Sequence[T], now_ns: int) -> list[Output]:
        """Forget that these were refused, and ask for those that are wanted."""
        for topic in topics:
            self._topics.refused.pop(topic, None)
            self._topics.strikes.pop(topic, None)
        again = [topic for topic in topics if topic in self._topics.wanted]
        self._put("subscribe", again)
        feeds = [market.feed(kind) for topic in again for market, kind in self.feeds(topic)]
        return [status for feed in feeds for status in feed.invalid("resync", "subscribing", now_ns)]

    def _down(self, topic: T, now_ns: int) -> list[FeedStatus]:
        cause = self._topics.refused[topic].cause
        return [s for market, kind in self.feeds(topic) for s in market.feed(kind).invalid("down", cause, now_ns)]


def some(names: Sequence[object]) -> str:
    """The first five, for a person, and how many more there are."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(map(str, names[:5])) + more


def _expire(times: deque[int], until_ns: int) -> None:
    while times and times[0] <= until_ns:
        times.popleft()


def _name(topic: Hashable) -> str:
    return " ".join(map(str, topic)).rstrip() if isinstance(topic, tuple) else str(topic)
