"""What a collector must know before it connects, and learn again while it lives: the venue's instruments."""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import Callable, Sequence

from mdplatform.errors import ConfigError, FeedError, FrameError, is_retryable
from mdplatform.feed.backoff import Backoff
from mdplatform.feed.rest import RestClient
from mdplatform.instrumentlist import InstrumentList
from mdplatform.session import Paged, Request, Venue
from mdplatform.symbols import Instruments

log = logging.getLogger(__name__)

LIST_EVERY_S = 3600.0


Keep = Callable[[bytes, InstrumentList], None]


async def selected_instruments(venue: Venue, rest: RestClient, symbols: Sequence[str], keep: Keep) -> Instruments:
    """Those of the venue's lists with these canonical symbols; asks until there are answers.

    ``keep`` is given each list as it was received and what it holds. Raises ConfigError for symbols that the venue
    does not list, RestError when it refuses the request for good.
    """
    backoff = Backoff(base_s=1.0)
    while True:
        try:
            return _select(await listed_instruments(venue, rest, keep), symbols)
        except (FeedError, FrameError) as error:
            if not isinstance(error, FrameError) and not is_retryable(error):
                raise
            delay_s = backoff.next_s()
            log.warning("%s: no instrument list (%s); asking again in %.1f s", venue.id, error, delay_s)
            await asyncio.sleep(delay_s)


async def list_again(venue: Venue, rest: RestClient, keep: Keep) -> None:
    """For ever: instruments come, change and go. A list that fails waits for its next time."""
    while True:
        await asyncio.sleep(LIST_EVERY_S)
        try:
            await listed_instruments(venue, rest, keep)
        except (FeedError, FrameError) as error:
            log.warning("%s: no instrument list (%s); asking again in %g s", venue.id, error, LIST_EVERY_S)


async def listed_instruments(venue: Venue, rest: RestClient, keep: Keep) -> Instruments:
    """All that the venue lists now; raises FeedError and FrameError. Only whole answers are kept."""
    bodies = await _lists(venue, rest)
    lists = [(body, venue.parse_instruments(body)) for body in bodies]
    for body, stated in lists:
        keep(body, stated)
    return Instruments(venue.id, (instrument for _, stated in lists for instrument in stated.instruments))


async def _lists(venue: Venue, rest: RestClient) -> list[bytes]:
    """Every page of every list; raises FeedError, and FrameError for pages that go in a circle."""
    bodies: list[bytes] = []
    asked: set[Request] = set()
    for first in venue.instruments_requests():
        following: Request | None = first
        while following is not None:
            if following in asked:
                raise FrameError("repeated_page", f"the list leads back to {following.path}")
            asked.add(following)
            bodies.append(await rest.get(following))
            following = venue.more(bodies[-1]) if isinstance(venue, Paged) else None
    return bodies


def _select(listed: Instruments, symbols: Sequence[str]) -> Instruments:
    names = {instrument.symbol for instrument in listed}
    unknown = [symbol for symbol in symbols if symbol not in names]
    if not unknown:
        return listed.select(dict.fromkeys(symbols))
    known = [symbol for symbol in symbols if symbol in names]
    near = [name for symbol in unknown for name in difflib.get_close_matches(symbol, names, n=1)]
    raise ConfigError(
        f"{listed.exchange} does not list {', '.join(unknown)}"
        + (f" (near: {', '.join(dict.fromkeys(near))})" if near else "")
        + (f"; it does list {', '.join(known)}" if known else "")
    )
