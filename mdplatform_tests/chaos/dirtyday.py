"""A dirty day: simulators of some venues and a collector of each, in one time that passes as fast as their work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from unittest.mock import patch

import msgspec

from mdplatform import venues as known
from mdplatform.collector import CollectorConfig
from mdplatform.collector import instrument_selection as listing
from mdplatform.core.messages import BookMessage
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.instruments import Instrument
from mdplatform.simulator.server import Simulator, serve
from mdplatform_tests.chaos.dayledger import Entry, Seen, final_states, judged
from mdplatform_tests.chaos.plants import MANNERS, Manner, Plant
from mdplatform_tests.chaos.venueday import Collected, collected_quietly
from mdplatform_tests.simulator.venue_time import VenueClock, at, run_in_venue_time

BEGIN = "2026-12-25 07:30"  # half an hour before the quarter's contracts end
LIST_EVERY_S = 240.0
READ_S = 1.0  # by then nothing is left to read, and nobody takes the silence for one
BEST = 20
Script = Callable[[Manner, Sequence[str], Sequence[str]], Iterable[Plant]]


Ledgers = dict[str, dict[str, Entry]]  # by venue and kind


def ledger_of(script: Script, venues: Sequence[str], symbols: int, seconds: float) -> Ledgers:
    """Live through so many seconds of venue time with what the script plants."""
    with patch.object(listing, "LIST_EVERY_S", LIST_EVERY_S):
        return run_in_venue_time(_day(script, venues, symbols, seconds))


async def _day(script: Script, venues: Sequence[str], symbols: int, seconds: float) -> Ledgers:
    clock = VenueClock(at(BEGIN))
    zero_ns = clock.now_ns()
    config = SimulatorConfig(
        symbols=("BTC", "ETH"),
        synthetic=symbols,
        rate=0.6,
        # A touch that is a channel of its own has to move, or its silence would be right to mark.
        rates={"hyperliquid": 8.0} | {venue: 2.0 for venue in MANNERS if MANNERS[venue].quotes is not None},
        depths={venue: 1100 for venue in MANNERS if MANNERS[venue].is_limited},  # a snapshot has 1000
        bursts=0,
        batch_s=1.0,
        tick_s=0.5,
        levels=100,  # twice the shortest book of a venue
        truth=False,
        queue=100_000,
    )
    async with contextlib.AsyncExitStack() as running:
        simulator = await running.enter_async_context(await serve(config, clock))
        collected: dict[str, Collected] = {}
        plants: dict[str, list[Plant]] = {}
        for venue in venues:
            chosen = list(_chosen(simulator, venue, symbols))
            names = {one.canonical: one.symbol for one in chosen}
            lasting = [one.canonical for one in chosen if one.expiry is None]
            dated = [one.canonical for one in chosen if one.canonical not in lasting]
            plants[venue] = list(script(MANNERS[venue], lasting, dated))
            orders = [
                plant.order(MANNERS[venue], names.get(plant.symbol or "", "")) for plant in plants[venue] if plant.fault
            ]
            simulator.faults.schedule("\n".join(orders), zero_ns)
            simulator.faults.tick(zero_ns)
            shard = CollectorConfig(
                venue=venue,
                symbols=tuple(names),
                channels=_channels(venue),
                ws_url=simulator.ws_url(venue),
                rest_url=simulator.rest_url(venue),
            )
            collected[venue] = await running.enter_async_context(collected_quietly(shard, clock))
        await asyncio.sleep(seconds)
        await simulator.stop_at_an_edge()
        await asyncio.sleep(READ_S)
    return {
        venue: judged(plants[venue], _seen(simulator, collected[venue], plants[venue], zero_ns)) for venue in venues
    }


def _seen(simulator: Simulator, collected: Collected, plants: Sequence[Plant], zero_ns: int) -> Seen:
    """The day of one venue, up to the last step of the simulation, which the collector has read."""
    venue = collected.venue
    exchange = simulator.world.exchanges[venue]
    return Seen(
        zero_ns=zero_ns,
        symbols=collected.symbols,
        gone=frozenset(_gone(plants)),
        said=collected.said,
        letters=collected.letters,
        emptied=collected.emptied,
        attempts=[ns for ns, _ in exchange.attempts],
        books={one.canonical: _is_true(simulator, one, collected) for one in _valid(simulator, collected)},
    )


def _channels(venue: str) -> tuple[str, ...]:
    """None named are those of the venue's own choice."""
    quotes = MANNERS[venue].quotes
    return () if quotes is None else (*known.venue(venue).default_channels, quotes)


def _valid(simulator: Simulator, collected: Collected) -> Iterator[Instrument]:
    """The listed instruments whose book is valid in the end."""
    last = final_states(collected.said)
    for one in _instruments(simulator, collected.venue):
        status = last.get((one.canonical, "book"))
        if status is not None and status.state == "valid":
            yield one


def _is_true(simulator: Simulator, instrument: Instrument, collected: Collected) -> bool:
    """Whether the best prices of the last book that was published are those of the market."""
    market = simulator.world.exchanges[collected.venue].markets[instrument.key].market
    book = _read_book(collected.books[instrument.canonical.encode()])
    return all(
        prices[:BEST] == [float(instrument.price.text(tick)) for tick, _ in side.top(len(prices[:BEST]))]
        for prices, side in ((book.b, market.bids), (book.a, market.asks))
    )


_read_book = msgspec.json.Decoder(BookMessage).decode


def _instruments(simulator: Simulator, venue: str) -> list[Instrument]:
    return list(simulator.world.exchanges[venue].markets.instruments.values())


def _chosen(simulator: Simulator, venue: str, symbols: int) -> Iterator[Instrument]:
    """So many of its instruments, dated ones among them."""
    named: dict[str, list[Instrument]] = {}
    for one in _instruments(simulator, venue):
        named.setdefault(one.symbol, []).append(one)
    # A name that two of the venue's lists bear is taken from the one and from the other.
    listed = [ones[number % len(ones)] for number, ones in enumerate(named.values())]
    soon = BEGIN[:10].replace("-", "")
    dated = [one for one in listed if one.expiry == soon][:2]
    yield from dated
    yield from [one for one in listed if one.expiry is None][: symbols - len(dated)]


def _gone(plants: Iterable[Plant]) -> Iterator[str]:
    for plant in plants:
        ends = plant.kind in ("expires", "vanishes") or plant.fault == "deny"
        if ends and plant.symbol is not None:
            yield plant.symbol
