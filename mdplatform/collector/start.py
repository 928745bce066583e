"""What a collector must know before it connects: the venue's instruments."""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import Callable, Sequence

from mdplatform.errors import ConfigError, FeedError, FrameError, is_retryable
from mdplatform.feed.backoff import Backoff
from mdplatform.feed.rest import RestClient
from mdplatform.session import Paged, Request, Venue
from mdplatform.symbols import Instruments

log = logging.getLogger(__name__)


async def selected_instruments(
    venue: Venue, rest: RestClient, symbols: Sequence[str], keep: Callable[[bytes], None]
) -> Instruments:
    """Those of the venue's lists with these canonical symbols; asks until there are answers.

    ``keep`` is given each list as it was received. Raises ConfigError for symbols that the venue does not list,
    RestError when it refuses the request for good.
    """
    backoff = Backoff(base_s=1.0)
    while True:
        try:
            bodies = await _lists(venue, rest)
            listed = Instruments(venue.id, (row for body in bodies for row in venue.parse_instruments(body)))
            for body in bodies:
                keep(body)
            return _select(listed, symbols)
        except (FeedError, FrameError) as error:
            if not isinstance(error, FrameError) and not is_retryable(error):
                raise
            delay_s = backoff.next_s()
            log.warning("%s: no instrument list (%s); asking again in %.1f s", venue.id, error, delay_s)
            await asyncio.sleep(delay_s)


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
