"""Which raw frames a client wants: those of a channel, and there of some symbols, by the venue's own words for them.

A frame says what it is of in strings: ``btcusdt@depth@100ms``, ``book.BTC-PERPETUAL.100ms``, ``"channel":"trades"``.
It is of a channel or symbol if one of its string values has that name as a whole part; names of fields do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from mdplatform.core.errors import ConfigError, WarehouseError
from mdplatform.core.settings import Settings
from mdplatform.read.instruments import symbols as instruments
from mdplatform.serve.options import MOST_SYMBOLS, Filter
from mdplatform.venues import venue

MOST_FILTERS, MOST_CHARACTERS = 50, 100
_BETWEEN = re.compile(r"[@.:/]")  # parts of a stream's name


def wanted(filters: Sequence[Filter], venue_id: str, settings: Settings) -> Callable[[bytes], bool]:
    """Whether a frame passes one of them; all pass where there are none. Raises ConfigError."""
    if not filters:
        return lambda frame: True
    if len(filters) > MOST_FILTERS:
        raise ConfigError(f"{len(filters)} filters are too many: {MOST_FILTERS} at most")
    known = {_BETWEEN.split(channel.name)[0] for channel in venue(venue_id).channels}
    pairs = []
    for each in filters:
        if not known & {*_BETWEEN.split(each.channel)}:
            raise ConfigError(f"no channel {each.channel[:64]!r} of {venue_id}; there are {', '.join(sorted(known))}")
        names = _venue_names(each.symbols or (), venue_id, settings)
        pairs.append((_stating([each.channel]), _stating(names, re.IGNORECASE) if names else None))

    def passes(frame: bytes) -> bool:
        return any(channel.search(frame) and (symbol is None or symbol.search(frame)) for channel, symbol in pairs)

    return passes


def _stating(names: Iterable[str], flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[bytes]:
    """A JSON string, not a field's name, of which one of the names is a part between characters of other kinds."""
    several = "|".join(map(re.escape, names))
    text = rf'"(?:[^"\\]*[^\w"\\-])?(?:{several})(?:[^\w"\\-][^"\\]*)?"(?!\s*:)'
    return re.compile(text.encode(), flags)


def _venue_names(symbols: Sequence[str], venue_id: str, settings: Settings) -> list[str]:
    """The symbols as they are given, and what the venue calls those that bear our names."""
    if len(symbols) > MOST_SYMBOLS or any(not 0 < len(name) <= MOST_CHARACTERS for name in symbols):
        raise ConfigError(f"name up to {MOST_SYMBOLS} symbols of up to {MOST_CHARACTERS} characters in a filter")
    names = dict.fromkeys(symbols)
    try:
        for name in symbols:
            if "-" in name:
                listed = instruments(name, venues=venue_id, settings=settings)
                names |= {each.venue_symbol: None for each in listed if each.symbol == name.upper()}
    except WarehouseError:
        return [*names]  # the venue's own names need no list
    return [*names]
