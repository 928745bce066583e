"""The open lines of a collector: more when more of what is wanted is listed, without a symbol that no longer is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from mdplatform.collector.config import CollectorConfig
from mdplatform.collector.counters import Counters
from mdplatform.collector.driver import Shared
from mdplatform.collector.supervisor import ConnectionSupervisor
from mdplatform.core.events import FeedStatus
from mdplatform.core.session import ConnectionPlan, Listed, PublishesBookChanges, ResumesTradeIds, Session, Venue
from mdplatform.core.shards import followed_books
from mdplatform.core.symbols import Instrument, Instruments


@dataclass
class _Held:
    """One line: ``place`` is its address; ``nth`` of those with the same address and instruments."""

    place: tuple[str, str]
    nth: int
    instruments: dict[str, Instrument]  # by canonical symbol
    channels: tuple[str, ...]
    supervisor: ConnectionSupervisor = field(init=False)
    has_fallen_back: bool = False


class Lines:
    """``on_opened`` is called with each new supervisor, ``on_closed`` when nothing is left for it to collect."""

    def __init__(
        self,
        config: CollectorConfig,
        venue: Venue,
        shared: Shared,
        on_opened: Callable[[ConnectionSupervisor], None],
        on_closed: Callable[[ConnectionSupervisor], None],
    ) -> None:
        self._config, self._venue, self._shared = config, venue, shared
        self._on_opened, self._on_closed = on_opened, on_closed
        self._held: list[_Held] = []
        self._number = 0
        self._is_followed = followed_books(config.increments, config.venue)

    def __len__(self) -> int:
        return len(self._held)

    @property
    def symbols(self) -> set[str]:
        """Those that are collected."""
        return {symbol for held in self._held for symbol in held.instruments}

    @property
    def supervisors(self) -> list[ConnectionSupervisor]:
        return [held.supervisor for held in self._held]

    def open(self, instruments: Instruments, last: Mapping[str, int], until_ns: Mapping[str, int]) -> None:
        """Connections of their own for these. ``last``, ``until_ns``: see ``ResumesTradeIds``. Raises ConfigError."""
        made: list[_Held] = []
        for line in self._made(instruments, self._config.channels):
            own = line.session.instruments if isinstance(line.session, Listed) else instruments
            place, symbols = (line.ws_url, line.url_path), {row.symbol: row for row in own}
            nth = sum(held.place == place and held.instruments.keys() == symbols.keys() for held in made)
            made.append(_Held(place, nth, symbols, line.channels or self._config.channels))
        for held in made:
            counters = Counters(self._venue.id, f"{self._config.shard}/{self._number}")
            self._number += 1
            fresh, fall_back = partial(self._fresh, held), partial(self._fall_back, held)
            held.supervisor = ConnectionSupervisor(self._url(*held.place), fresh, self._shared, counters, fall_back)
            if isinstance(held.supervisor.driver.session, ResumesTradeIds):
                held.supervisor.driver.session.resume(last, until_ns)
            self._held.append(held)
            self._on_opened(held.supervisor)

    def drop(self, symbol: str) -> list[FeedStatus]:
        """The venue no longer lists it: let it go and disturb no other. The last word on each of its feeds."""
        last: list[FeedStatus] = []
        for held in [held for held in self._held if symbol in held.instruments]:
            del held.instruments[symbol]
            last += held.supervisor.drop(symbol)
            if not held.instruments:
                self._held.remove(held)
                self._on_closed(held.supervisor)
        return last

    def relisted(self) -> None:
        """The venue's list has changed."""
        for held in self._held:
            held.supervisor.relisted()

    def _fresh(self, held: _Held) -> Session:
        line = self._line(held)
        session = line.session if line.fallback is None or not held.has_fallen_back else line.fallback.session
        if isinstance(session, PublishesBookChanges):
            session.publish_changes(self._is_followed)
        return session

    def _fall_back(self, held: _Held) -> str | None:
        """The address of the line's fallback, which it has from now on."""
        fallback = self._line(held).fallback
        if fallback is None or held.has_fallen_back:
            return None
        held.has_fallen_back = True
        return self._url(fallback.ws_url, fallback.url_path)

    def _line(self, held: _Held) -> ConnectionPlan:
        lines = self._made(Instruments(self._venue.id, held.instruments.values()), held.channels)
        same = [line for line in lines if (line.ws_url, line.url_path) == held.place]
        return same[min(held.nth, len(same) - 1)]

    def _url(self, ws_url: str, path: str) -> str:
        return (self._config.ws_url or ws_url).rstrip("/") + path

    def _made(self, instruments: Instruments, channels: tuple[str, ...]) -> Iterable[ConnectionPlan]:
        return self._venue.plan_connections(instruments, channels, self._config.depth)
