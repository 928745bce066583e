"""The sans-I/O protocol between a venue's rules and whoever owns the socket.

The driver reports to a session what happened (connected, a frame, an answer, time passing, closed), and the session
returns what follows: events to publish and commands for the driver. It never awaits, opens or reads a clock, so a
replay of the same calls gives the same outputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import msgspec

from mdplatform.core import event_kinds
from mdplatform.core.errors import UNREADABLE, ConfigError, FrameError, reason_of
from mdplatform.core.events import DeadLetter, Event
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.symbols import Instruments

ChannelKind = event_kinds.ChannelKind


class Request(msgspec.Struct, frozen=True):
    """A REST call: ``path`` with its query string, relative to the venue's REST address; a POST where it has a body."""

    path: str
    weight: int = 1  # units of the venue's budget that it costs
    symbol: str | None = None  # canonical symbol that it is about
    purpose: str = "snapshot"
    body: bytes | None = None  # JSON
    base_url: str | None = None  # another of the venue's REST addresses; where ours is replaced, this one is too


class Send(msgspec.Struct, frozen=True):
    """Write this text frame to the socket. ``paced``: the session keeps to the venue's limit of messages itself."""

    frame: bytes
    paced: bool = False


class Fetch(msgspec.Struct, frozen=True):
    """Make this request within the venue's budget and hand its outcome to ``Session.answer``."""

    request: Request


class Reconnect(msgspec.Struct, frozen=True):
    """Close this connection and open another.

    ``overlap``: the old one still delivers; open the new one first (a planned renewal).
    """

    cause: str
    overlap: bool = False


Command = Send | Fetch | Reconnect
Output = Event | Command


class Session(Protocol):
    """The rules of one connection to one venue. All times are ns since the epoch; every call returns its outputs."""

    exchange: str

    @property
    def ignored(self) -> Counter[str]:
        """How many documented frames gave no event, and repeated ones, by kind."""

    def connected(self, conn: str, now_ns: int) -> list[Output]:
        """The socket is open: subscribe. ``conn`` names the connection in dead letters and raw frames."""

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        """A text or binary frame. Never raises for what is in it: a bad frame comes back as a DeadLetter."""

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        """The outcome of a Fetch; ``status`` 0 when no answer came at all (``body`` then says why)."""

    def tick(self, now_ns: int) -> list[Output]:
        """Time has passed (about 5 times a second): stale feeds, missing acknowledgements, extended intervals."""

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        """The socket is gone: every open interval of its feeds ends, and a ``down`` one begins.

        The same session may be ``connected`` again. With the cause ``renewed`` no ``down`` begins: another session
        has taken the feeds over already.
        """


@runtime_checkable
class RedactsFrames(Protocol):
    """A session whose frames may hold secrets, such as the token of a login."""

    def shown(self, frame: bytes) -> bytes:
        """The frame as it may be kept: the same shape, with stars for what is secret."""


@runtime_checkable
class NeedsTicket(Protocol):
    """A session whose socket opens only with a ticket, which a REST call gives; every connection needs its own."""

    def ticket_request(self) -> Request:
        """The call that gives it."""

    def address(self, url: str, ticket: bytes) -> str:
        """Where to connect, by the answer to that call; ``url`` is the line's address. Raises FrameError."""


@runtime_checkable
class MatchesReplies(Protocol):
    """A session that can match a REST answer on a tape with the request that it answers."""

    def recall(self, path: str, body: bytes, received_ns: int) -> list[Output] | None:
        """What follows from the answer to this call; None where the body alone suffices."""


@runtime_checkable
class ResumesTradeIds(Protocol):
    """A session that continues the trade ids of the collector that had its feeds before."""

    def resume(self, last: Mapping[str, int], until_ns: Mapping[str, int] | None = None) -> None:
        """The number of the last trade that was seen, by canonical symbol, and the receive time until when trades were
        seen; called before ``connected``."""


@runtime_checkable
class PublishesBookChanges(Protocol):
    """A session whose books are kept up to date by updates that it can publish, too."""

    def publish_changes(self, wanted: Callable[[str], bool]) -> None:
        """For the canonical symbols for which ``wanted`` is true; called before ``connected``."""


class Progress(msgspec.Struct, frozen=True):
    """How far the subscriptions of a connection are."""

    wanted: int
    held: int  # acknowledged
    refused: dict[str, str]  # name of a topic -> why the venue refuses it

    @property
    def is_complete(self) -> bool:
        return self.held + len(self.refused) >= self.wanted


@runtime_checkable
class Subscribing(Protocol):
    """A session that reports the progress of its subscriptions, and how often its channels send."""

    def progress(self) -> Progress: ...

    def cadences_ms(self) -> dict[str, float]:
        """Mean time between two updates on the most active symbols, by kind of channel; kinds that send nothing left
        out."""


@runtime_checkable
class Listed(Protocol):
    """A session that states which instruments it is of."""

    @property
    def instruments(self) -> Instruments: ...

    def relisted(self, now_ns: int) -> list[Output]:
        """The venue's list has changed: what it refused before it may take now."""


@runtime_checkable
class HasSocketPath(Protocol):
    """A session whose frames have their meaning only together with the path of its socket."""

    path: str  # of its socket; a tape keeps it with each frame


@runtime_checkable
class RoutesBySocketPath(Protocol):
    """A reader of recordings that has a session for each path of a socket."""

    def at(self, path: str) -> Session | None:
        """The session for the frames of this socket; None where the venue has no such path."""


class Channel(msgspec.Struct, frozen=True):
    """A venue's channel: its own name, what it carries, and what it proves."""

    name: str  # the venue's name, as in ``--channels``
    kind: ChannelKind
    proof: str  # one line: what of its completeness can be proven, and by what
    stale_after_s: float | None = None  # silence of an active symbol that is not normal; None: silence is normal
    cadence_s: float | None = None  # documented: between two messages of an active symbol; None: none is documented
    is_steady: bool = False  # it keeps its cadence where nothing changes, too


class ConnectionPlan(msgspec.Struct, frozen=True):
    """One socket to open: ``url_path`` is appended to the venue's WebSocket address; ``session`` speaks on it."""

    ws_url: str  # full default address, without path; ``--ws-url`` replaces it
    url_path: str
    session: Session
    fallback: ConnectionPlan | None = (
        None  # another socket that brings the same feeds, for where this one cannot be opened
    )
    channels: tuple[str, ...] = ()  # that it takes, where those depend on how many symbols there are


class Venue(Protocol):
    """The facts of a venue and the way to its sessions. A module-level object in each venue file."""

    id: str
    ws_url: str
    rest_url: str
    channels: tuple[Channel, ...]
    default_channels: tuple[str, ...]
    rest_budget: tuple[int, float]  # weight units per this many seconds
    used_weight_header: str | None  # header of a REST answer that states the units spent on our address
    connect_budget: tuple[int, float]  # connection attempts per this many seconds
    lifetime_s: float | None  # the venue cuts a connection after this long; None: no documented limit
    max_frame_bytes: int | None  # largest frame to accept; snapshots of some venues are many MB
    liquidations: str  # what it sends of them, for people

    def instruments_requests(self) -> tuple[Request, ...]:
        """The REST calls that together list the venue's instruments."""

    def parse_instruments(self, body: bytes) -> InstrumentList:
        """The answer to one of them, row by row; raises FrameError when it is not one at all."""

    def known_instruments(self) -> Instruments:
        """Instruments known without asking: enough to normalize a recording that holds no list."""

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...], depth: int = 20
    ) -> list[ConnectionPlan]:
        """The sockets to open for these instruments and channels (venue's names or kinds); raises ConfigError."""

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> Session:
        """A session for a recording: understands every documented frame, REST answers and instrument lists among
        them. With ``channels`` only those give events. Raises ConfigError."""


@runtime_checkable
class HasHeaders(Protocol):
    """A venue that takes HTTP headers, on each socket and each call, for the form in which it sends data."""

    headers: Mapping[str, str]


@runtime_checkable
class PagedInstruments(Protocol):
    """A venue whose instrument lists come in pages."""

    def more(self, body: bytes) -> Request | None:
        """The call for the page after this one; None where it is the last. Raises FrameError when it is no list."""


@dataclass(frozen=True)
class Credentials:
    """What a venue knows us by; shown nowhere."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


@runtime_checkable
class Authenticates(Protocol):
    """A venue that offers more to clients that log in."""

    def with_credentials(self, credentials: Credentials) -> Venue:
        """The same venue, its sessions logging in with these."""


# What reading a frame may raise.
REFUSALS = (FrameError, *UNREADABLE)


def refused(error: Exception, exchange: str, frame: bytes, received_ns: int, conn: str) -> DeadLetter:
    """The dead letter of a frame whose reading raised one of ``REFUSALS``."""
    return DeadLetter(exchange, *reason_of(error), frame, received_ns, conn)


def select_for_subscription(channels: tuple[Channel, ...], names: tuple[str, ...]) -> tuple[Channel, ...]:
    """As ``select_channels``, and no symbol has two books: they would contradict each other. Raises ConfigError."""
    selected = select_channels(channels, names)
    books = [channel.name for channel in selected if channel.kind == "book"]
    if len(books) > 1:
        raise ConfigError(f"{' and '.join(books)} are the same book; choose one")
    return selected


def select_channels(channels: tuple[Channel, ...], names: tuple[str, ...]) -> tuple[Channel, ...]:
    """The channels with these names; a kind ("book") means the first of that kind. Raises ConfigError."""
    out = []
    for name in names:
        found = [c for c in channels if c.name == name] or [c for c in channels if c.kind == name]
        if not found:
            raise ConfigError(f"unknown channel {name!r}; there are {', '.join(c.name for c in channels)}")
        out.append(found[0])
    return tuple(dict.fromkeys(out))
