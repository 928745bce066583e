"""What every simulated exchange does: subscriptions, limits, faults, REST calls. No sockets here."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, NamedTuple, get_args

import msgspec
from msgspec.structs import replace

from mdplatform.core.symbols import Kind
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.instruments import Asset, Instrument
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.faults.dirty_data import shrunk, with_odd_row
from mdplatform.simulator.faults.impairment import Impairment
from mdplatform.simulator.faults.script import Fault, Listing
from mdplatform.simulator.protocol.limits import Bucket, ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, Refused

SECOND = 1_000_000_000
RETRY_S = 5  # what Retry-After says where a fault does not
_LOWER = 1_000_000  # numbers that start again are at least so much lower


class Exchange:
    """Base of the venues: everything that names no venue."""

    venue: ClassVar[str]
    default_limits: ClassVar[ConnectionLimits]
    connections: ClassVar[int | None] = None  # of one address at a time, and a simulator has but one client
    topics_a_connection: ClassVar[int | None] = None  # more are acknowledged and stay silent
    paths: ClassVar[tuple[str, ...]] = ()  # at which a WebSocket may be opened
    lists: ClassVar[tuple[str, ...]] = ()  # how the paths of its instrument lists end

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        self.limits = limits = self.default_limits.overridden(config)
        self.markets = markets
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
        self._markets_of_topic: dict[str, list[str]] = {}  # by topic, the keys of the markets it publishes
        self._connects = Bucket(*limits.connects)
        self._requests = Bucket(*limits.requests)

    # --- what a venue adds

    def accepts(self, path: str) -> bool:
        """Whether a WebSocket may be opened at this path."""
        return path in self.paths

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        """A connection is open."""

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        """A message of the client."""
        raise NotImplementedError

    def envelope(self, peer: Peer, frame: Frame) -> bytes:
        """The frame as this connection gets it."""
        return frame.body

    def farewell(self, peer: Peer, now_ns: int) -> None:
        """Announce to the client that its lifetime ends soon."""

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

    def markets_of(self, topic: str) -> Iterable[str]:
        """The keys of the markets that a topic publishes: those whose symbol is in its name, or else all."""
        name = topic.lower()
        named = [key for key, listed in self.markets.instruments.items() if listed.symbol.lower() in name]
        return named or self.markets

    def too_many(self, retry_s: int) -> Answer:
        """The venue's 429."""
        return Answer(429, b'{"message":"rate limit exceeded"}', (("Retry-After", str(retry_s)),))

    def overrun(self, peer: Peer) -> None:
        """What the venue does to who sends more messages than it may."""
        peer.close(1008, "Too many requests")

    def skip(self, fault: Fault) -> int:
        """Leave out numbers as the venue numbers things; how many counters that concerned."""
        hit = 0
        for runner in self.markets.open:
            if fault.matches(self.venue, runner.market.instrument.symbol):
                self.skip_numbers(runner, fault)
                hit += 1
        return hit

    def skip_numbers(self, runner: MarketRunner, fault: Fault) -> None:
        if any(word in (fault.channel or "").lower() for word in ("trade", "match")):
            runner.market.skip_trades(fault.n)
        else:
            runner.skip_updates(fault.n)

    # --- what is the same everywhere

    def reply(self, peer: Peer, value: object) -> None:
        """Send an answer as JSON."""
        peer.reply(msgspec.json.encode(value))

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
        with self.markets.as_listed():
            answer = self._respond(path, query, now_ns, body)
        return self._as_dirty(answer, now_ns)

    def _respond(self, path: str, query: Mapping[str, str], now_ns: int, body: bytes | None) -> Answer:
        try:
            return self.respond(path, query, now_ns) if body is None else self.post(path, query, body, now_ns)
        except Refused as refused:
            return refused.answer

    def _as_dirty(self, answer: Answer, now_ns: int) -> Answer:
        """A list with what is wrong with it now."""
        self.list_faults = [one for one in self.list_faults if not one.over(now_ns)]
        bases = [*dict.fromkeys(one.base for one in self.markets.instruments.values())]
        for number, impairment in enumerate(self.list_faults if answer.status == 200 else ()):
            impairment.hits += 1
            if impairment.fault.action == "shrink":
                answer = answer._replace(body=shrunk(answer.body, bases))
            else:
                answer = answer._replace(body=with_odd_row(answer.body, bases, impairment.fault.odd, number))
        return answer

    def message(self, peer: Peer, message: bytes, now_ns: int) -> None:
        """A message of the client, if it may still send one."""
        peer.received_ns = now_ns
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

    def join(self, peer: Peer, topic: str) -> bool:
        """Subscribe; whether nobody subscribed to the topic before."""
        most = self.topics_a_connection
        if most is not None and len(peer.topics) >= most and topic not in peer.topics:
            self.answers["topic above the limit"] += 1
            return False
        begins = topic not in self.topics
        if begins:
            self._markets_of_topic[topic] = list(self.markets_of(topic))  # what is listed may be another when it ends
            for key in self._markets_of_topic[topic]:
                self.markets[key].listeners += 1
            self.topics[topic] = set()
        self.topics[topic].add(peer)
        peer.topics[topic] = None
        return begins

    def leave(self, peer: Peer, topics: Iterable[str]) -> None:
        for topic in list(topics):
            if peer.topics.pop(topic, 0) is None:
                self.topics[topic].discard(peer)
                if not self.topics[topic]:
                    del self.topics[topic]
                    for key in self._markets_of_topic.pop(topic):
                        self.markets[key].listeners -= 1

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
            age_s = (now_ns - peer.opened_ns) / SECOND
            self._age(peer, age_s, now_ns)
            self.beat(peer, now_ns)

    def _age(self, peer: Peer, age_s: float, now_ns: int) -> None:
        limits = self.limits
        if limits.subscribe_within_s is not None and age_s > limits.subscribe_within_s and not peer.topics:
            peer.close(1008, "No subscription")
        if limits.lifetime_s is not None:
            if not peer.warned and age_s > limits.lifetime_s - limits.notice_s:
                peer.warned = True
                self.farewell(peer, now_ns)
            if age_s > limits.lifetime_s:
                peer.close(1001, "Connection lifetime")

    # --- faults

    def apply(self, fault: Fault, now_ns: int) -> int:
        """Start a fault here; how many connections, markets or counters it concerns."""
        match fault.action:
            case "skip":
                hit = self.skip(fault)
            case "reset":
                hit = self.skip(replace(fault, n=-max(fault.n, _LOWER)))
            case "slow":
                hit = self._slow_down(fault, now_ns)
            case action if action in get_args(Listing):
                hit = self._change_listing(fault, now_ns)
            case "429" | "refuse" | "maintenance" | "deaf" | "silence":
                hit = self._disturb(fault, now_ns)
            case _:
                peers = [peer for peer in self.peers if _subscribes(peer, fault)]
                for peer in peers:
                    self._strike(peer, fault, now_ns)
                hit = len(peers)
        return hit

    def _disturb(self, fault: Fault, now_ns: int) -> int:
        """What concerns the whole venue for a while."""
        until_ns = now_ns + int((fault.seconds or 0) * SECOND)
        match fault.action:
            case "429":
                self.rest_faults.append(Impairment(fault, self.venue, now_ns))
            case "silence":
                self.frame_faults.append(Impairment(fault, self.venue, now_ns))
            case "deaf":
                self.deaf_until_ns = until_ns
            case _:
                self.refused_until_ns, self.retry_after_s = until_ns, fault.retry
                for peer in self.peers if fault.action == "maintenance" else ():
                    self.farewell(peer, now_ns)
                    peer.close(1012, "maintenance")
        return 1

    def _slow_down(self, fault: Fault, now_ns: int) -> int:
        runners = [one for one in self.markets.open if fault.matches(self.venue, one.market.instrument.symbol)]
        for runner in runners:
            runner.slow_down(fault.n * SECOND, now_ns + int((fault.seconds or 0) * SECOND))
        return len(runners)

    def _change_listing(self, fault: Fault, now_ns: int) -> int:
        if fault.action in ("odd-row", "shrink"):
            self.list_faults.append(Impairment(fault, self.venue, now_ns))
            return 1
        markets = self.markets
        change = {"delist": markets.delist, "deny": markets.deny, "list": markets.restore}[fault.action]
        return sum(change(key) for key in markets.named(fault.symbol))

    def _strike(self, peer: Peer, fault: Fault, now_ns: int) -> None:
        if fault.action == "cut":
            peer.link.cut()
        elif fault.action == "half-open":
            peer.link.mute()
        else:
            peer.impairments.append(Impairment(fault, self.venue, now_ns))


class MatchingEngine(NamedTuple):
    """What a venue's module states: the markets that it lists, and the protocols through which they are reached."""

    name: str
    lists: Callable[[Asset, int], Iterable[Instrument]]  # of an asset, at the start time in ns (dated contracts)
    publish_ns: int  # how often its books are published: the finest cadence a book channel has
    protocols: tuple[tuple[type[Exchange], type[Feed]], ...]
    # Options of an asset, at the start time in ns, so many strikes an expiry; None where the venue has none.
    options: Callable[[Asset, int, int], Iterable[Instrument]] | None = None
    has_shares: bool = False  # whether it lists perpetuals of what is no coin

    def offered(self, asset: Asset, start_ns: int) -> list[Instrument]:
        """What it lists of an asset; of what is no coin only linear perpetuals."""
        if asset.asset_class == "crypto":
            return list(self.lists(asset, start_ns))
        rows = self.lists(asset, start_ns) if self.has_shares else ()
        return [one for one in rows if one.kind is Kind.PERPETUAL and one.settle == one.quote]


def _subscribes(peer: Peer, fault: Fault) -> bool:
    """Whether the peer subscribes to the fault's symbol at all."""
    wanted = (fault.symbol or "").lower()
    return not wanted or any(wanted in topic.lower() for topic in peer.topics)
