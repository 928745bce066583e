"""What every simulated exchange does: peers, subscriptions, limits, manners. No sockets here."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

from mdplatform.simulator.budget import Bucket
from mdplatform.simulator.config import Manners, SimulatorConfig
from mdplatform.simulator.dirt import shrunk, with_odd_row
from mdplatform.simulator.faults import Fault
from mdplatform.simulator.feed import Frame
from mdplatform.simulator.floors import Floor, Floors
from mdplatform.simulator.impair import Impairment

SECOND = 1_000_000_000
RETRY_S = 5  # what Retry-After says where a fault does not


class Answer(NamedTuple):
    """An HTTP answer; the body is JSON."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Link(Protocol):
    """The socket side of a peer."""

    def wake(self) -> None:
        """There is something in the outbox, or the peer is to be closed."""

    def cut(self) -> None:
        """Reset the connection without a word."""

    def mute(self) -> None:
        """Leave the connection open, and neither read nor write again."""


class Peer:
    """One client connection: its subscriptions, its outbox (bounded), its faults."""

    def __init__(self, link: Link, number: int, now_ns: int, limit: int, messages: Bucket) -> None:
        self.link = link
        self.number = number
        self.opened_ns = self.heard_ns = now_ns  # heard: the client's last message
        self.messages = messages
        self.topics: dict[str, None] = {}
        self.notes: dict[str, Any] = {}  # what the venue remembers of this connection
        self.outbox: deque[bytes] = deque()
        self.impairments: list[Impairment] = []
        self.everywhere: list[Impairment] = []  # those of all connections of the venue
        self.closing: tuple[int, str] | None = None
        self.sequence = 0  # of the frames of this connection, where the venue numbers them
        self.combined = False
        self.binary = False  # frames leave as binary ones, whatever they hold
        self.microseconds = False
        self.warned = False
        self.sent = 0
        self._limit = limit

    def offer(self, frame: Frame, data: bytes) -> None:
        """Send a published frame, unless a fault has other plans."""
        frames = [data]
        for impairment in (*self.everywhere, *self.impairments):
            frames = [out for piece in frames for out in impairment.apply(frame.symbol, frame.channel, piece)]
        for out in frames:
            self.send(out)

    def reply(self, data: bytes) -> None:
        """Send an answer; only a stall of the whole connection holds it back."""
        for impairment in self.impairments:
            if impairment.fault.action == "stall" and not impairment.apply("", "reply", data):
                return
        self.send(data)

    def send(self, data: bytes) -> None:
        if len(self.outbox) >= self._limit:  # too slow a reader: venues let go of it
            self.link.cut()
            return
        self.outbox.append(data)
        self.sent += 1
        self.link.wake()

    def close(self, code: int, reason: str) -> None:
        """Close once the outbox is empty."""
        self.closing = self.closing or (code, reason)
        self.link.wake()

    def settle(self, now_ns: int) -> None:
        """End the faults that are over; a stall gives back what it held."""
        for impairment in [one for one in self.impairments if one.over(now_ns)]:
            self.impairments.remove(impairment)
            for frame in impairment.release():
                self.send(frame)


class Exchange:
    """Base of the venues. Shared by its subclasses: everything that names no venue."""

    venue: ClassVar[str]
    default_manners: ClassVar[Manners]
    connections: ClassVar[int | None] = None  # of one address at a time, and a simulator has but one client
    topics_a_connection: ClassVar[int | None] = None  # more are acknowledged and stay silent
    lists: ClassVar[tuple[str, ...]] = ()  # how the paths of its instrument lists end

    def __init__(self, floors: Floors, config: SimulatorConfig) -> None:
        self.manners = manners = config.manners(self.default_manners)
        self.floors = floors
        self.address = ""  # of its sockets (ws://host:port/venue), once it listens
        self.topics: dict[str, set[Peer]] = {}
        self.peers: set[Peer] = set()
        self.rest_faults: list[Impairment] = []
        self.frame_faults: list[Impairment] = []  # of all connections, those to come included
        self.list_faults: list[Impairment] = []
        self.refused_until_ns = self.deaf_until_ns = 0
        self.retry_after_s: int | None = None  # what a refused handshake says
        self.attempts: deque[tuple[int, int]] = deque(maxlen=1000)  # to connect: (ns, status)
        self.messages = 0  # of all clients
        self.answers: Counter[str] = Counter()  # to REST calls and connection attempts, by status; and what was cut
        self._heard: dict[str, list[str]] = {}  # by topic, the keys of the markets it publishes
        self._connects = Bucket(*manners.connects)
        self._requests = Bucket(*manners.requests)

    # --- what a venue adds

    def accepts(self, path: str) -> bool:
        """Whether a WebSocket may be opened at this path."""
        raise NotImplementedError

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        """A connection is open."""

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        """A message of the client."""
        raise NotImplementedError

    def envelope(self, peer: Peer, frame: Frame) -> bytes:
        """The frame as this connection gets it."""
        return frame.body

    def farewell(self, peer: Peer, now_ns: int) -> None:
        """Tell the client that its lifetime ends soon."""

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        """Answer a REST call within the limits."""
        raise NotImplementedError

    def is_list(self, path: str, body: bytes | None) -> bool:
        """Whether a call asks for instruments."""
        return path.endswith(self.lists) if self.lists else False

    def post(self, path: str, query: Mapping[str, str], body: bytes, now_ns: int) -> Answer:
        """Answer a REST call that is a POST, within the limits."""
        return Answer(404, b'{"message":"Not Found"}')

    def beat(self, peer: Peer, now_ns: int) -> None:
        """Called at every step of time for each connection: heartbeats in frames, rules for idle ones."""

    def heard(self, topic: str) -> Iterable[str]:
        """The keys of the markets that a topic publishes: those whose symbol is in its name, or else all."""
        name = topic.lower()
        named = [key for key, listed in self.floors.instruments.items() if listed.symbol.lower() in name]
        return named or self.floors

    def subscribe_all(self, peer: Peer) -> Iterable[bytes]:
        """The messages by which this peer would hear the books and trades of every symbol."""
        raise NotImplementedError

    def snapshots_asked(self) -> Iterable[tuple[str, dict[str, str]]]:
        """The REST calls (path, query) of a client whose stream begins without the book."""
        return ()

    def too_many(self, retry_s: int) -> Answer:
        """The venue's 429."""
        return Answer(429, b'{"message":"rate limit exceeded"}', (("Retry-After", str(retry_s)),))

    def overrun(self, peer: Peer) -> None:
        """What the venue does to who sends more messages than it may."""
        peer.close(1008, "Too many requests")

    def skip(self, fault: Fault) -> int:
        """Leave out numbers as the venue numbers things; how many counters that concerned."""
        hit = 0
        for floor in self.floors.open:
            if fault.matches(self.venue, floor.market.instrument.symbol):
                self.skip_numbers(floor, fault)
                hit += 1
        return hit

    def skip_numbers(self, floor: Floor, fault: Fault) -> None:
        if any(word in (fault.channel or "").lower() for word in ("trade", "match")):
            floor.market.skip_trades(fault.n)
        else:
            floor.skip_updates(fault.n)

    # --- what is the same everywhere

    def admit(self, now_ns: int) -> int:
        """HTTP status for a connection attempt: 101, 503 while refusing, 429 above the limits."""
        is_full = self.connections is not None and len(self.peers) >= self.connections
        status = 503 if now_ns < self.refused_until_ns else 101 if not is_full and self._connects.take(now_ns) else 429
        self.attempts.append((now_ns, status))
        self.answers[f"connect {status}"] += 1
        return status

    def rest(self, path: str, query: Mapping[str, str], now_ns: int, body: bytes | None = None) -> Answer:
        """Answer a REST call, after faults and the request limit. A POST has a body."""
        answer = self._rest(path, query, now_ns, body)
        self.answers[f"rest {answer.status}"] += 1
        return answer

    def _rest(self, path: str, query: Mapping[str, str], now_ns: int, body: bytes | None) -> Answer:
        self.rest_faults = [one for one in self.rest_faults if not one.over(now_ns)]
        if self.rest_faults:
            self.rest_faults[0].hits += 1
            retry_s = self.rest_faults[0].fault.retry
            return self.too_many(RETRY_S if retry_s is None else retry_s)
        if not self._requests.take(now_ns):
            return self.too_many(1)
        if not self.is_list(path, body):
            return self._respond(path, query, now_ns, body)
        with self.floors.as_listed():
            answer = self._respond(path, query, now_ns, body)
        return self._as_dirty(answer, now_ns)

    def _respond(self, path: str, query: Mapping[str, str], now_ns: int, body: bytes | None) -> Answer:
        return self.respond(path, query, now_ns) if body is None else self.post(path, query, body, now_ns)

    def _as_dirty(self, answer: Answer, now_ns: int) -> Answer:
        """A list with what is wrong with it now."""
        self.list_faults = [one for one in self.list_faults if not one.over(now_ns)]
        bases = [*dict.fromkeys(one.base for one in self.floors.instruments.values())]
        for number, impairment in enumerate(self.list_faults if answer.status == 200 else ()):
            impairment.hits += 1
            if impairment.fault.action == "shrink":
                answer = answer._replace(body=shrunk(answer.body, bases))
            else:
                answer = answer._replace(body=with_odd_row(answer.body, bases, impairment.fault.odd, number))
        return answer

    def message(self, peer: Peer, message: bytes, now_ns: int) -> None:
        """A message of the client, if it may still send one."""
        peer.heard_ns = now_ns
        self.messages += 1
        if now_ns < self.deaf_until_ns:
            self.answers["not heard"] += 1
        elif peer.messages.take(now_ns):
            self.receive(peer, message, now_ns)
        else:
            self.answers["too many messages"] += 1
            self.overrun(peer)

    def publish(self, frame: Frame) -> None:
        for peer in self.topics.get(frame.topic, ()):
            peer.offer(frame, self.envelope(peer, frame))

    def join(self, peer: Peer, topic: str) -> None:
        most = self.topics_a_connection
        if most is not None and len(peer.topics) >= most and topic not in peer.topics:
            self.answers["topic above the limit"] += 1
            return
        if topic not in self.topics:
            self._heard[topic] = list(self.heard(topic))  # what is listed may be another when it ends
            for key in self._heard[topic]:
                self.floors[key].listeners += 1
            self.topics[topic] = set()
        self.topics[topic].add(peer)
        peer.topics[topic] = None

    def leave(self, peer: Peer, topics: Iterable[str]) -> None:
        for topic in list(topics):
            if peer.topics.pop(topic, 0) is None:
                self.topics[topic].discard(peer)
                if not self.topics[topic]:
                    del self.topics[topic]
                    for key in self._heard.pop(topic):
                        self.floors[key].listeners -= 1

    def closed(self, peer: Peer) -> None:
        self.leave(peer, peer.topics)
        self.peers.discard(peer)

    def tick(self, now_ns: int) -> None:
        """Time has passed: faults end, idle and old connections are closed."""
        if self.frame_faults:
            self.frame_faults[:] = [one for one in self.frame_faults if not one.over(now_ns)]
        for peer in self.peers:
            if peer.impairments:
                peer.settle(now_ns)
            age = (now_ns - peer.opened_ns) / SECOND
            self._age(peer, age, now_ns)
            self.beat(peer, now_ns)

    def _age(self, peer: Peer, age: float, now_ns: int) -> None:
        manners = self.manners
        if manners.subscribe_within is not None and age > manners.subscribe_within and not peer.topics:
            peer.close(1008, "No subscription")
        if manners.lifetime is not None:
            if not peer.warned and age > manners.lifetime - manners.notice:
                peer.warned = True
                self.farewell(peer, now_ns)
            if age > manners.lifetime:
                peer.close(1001, "Connection lifetime")
