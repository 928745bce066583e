"""What a venue's simulator file states about its venue: one `PIT` a matching engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from mdplatform.simulator.exchange import Exchange
from mdplatform.simulator.feed import Feed
from mdplatform.simulator.profiles import Asset, Instrument


class Pit(NamedTuple):
    """A matching engine."""

    name: str
    lists: Callable[[Asset, int], Iterable[Instrument]]  # of an asset, at the start time in ns (dated contracts)
    publish_ns: int  # how often its books are published: the finest cadence a book channel has
    doors: tuple[tuple[type[Exchange], type[Feed]], ...]  # the protocols through which it is reached
