"""Instruments and canonical symbols.

``BTC-USDT`` is spot, ``BTC-USDT-PERP`` perpetual, ``BTC-USD-20261225`` dated, ``BTC-USD-20261225-100000-C`` an option.
A canonical symbol comes from the venue's instrument list (base and quote as the venue states them), never from
splitting the venue's own string.

A setting may name a dated contract by a rule in place of its date, ``BTC-USD@front-quarter``: whichever the venue
lists today, and its successor once it has expired; ``BTC-USD@options`` means every option that it lists on the pair.
Events carry the canonical symbol only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec

from mdplatform.core.clock import utc_day
from mdplatform.core.errors import ConfigError, UnknownInstrument

# Which of the dated contracts on a pair is meant: its place by expiry, among all or among the quarterly ones alone.
RULES = {"front": (0, False), "next": (1, False), "front-quarter": (0, True), "next-quarter": (1, True)}
CHAIN = "options"  # all of them, where the rules above mean one contract
# The venues' words for an instrument that they keep in their lists though nobody can trade it any more.
ENDED = frozenset(["delivered", "close", "closed", "settled", "expired", "delisted", "isdelisted", "offline"])


class Kind(StrEnum):
    """What is traded."""

    SPOT = "spot"
    PERPETUAL = "perpetual"
    FUTURE = "future"
    OPTION = "option"


# What a base is: venues of coins list contracts on shares, metals and currencies, too.
AssetClass = Literal["crypto", "stock", "commodity", "forex", "index", "other"]


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a venue's instrument list. Decimal fields keep the venue's text; ``None`` where it states none."""

    exchange: str
    venue_symbol: str
    base: str
    quote: str
    kind: Kind = Kind.SPOT
    tick: str | None = None  # price increment, in quote units
    step: str | None = None  # size increment, in base units
    # What a size of 1 stands for: base units, or quote units where ``inverse``. None: sizes are base units already.
    contract_size: str | None = None
    multiplier: str | None = None  # factor on contract_size, where the venue states one beside it
    inverse: bool = False  # a contract is worth a fixed amount of quote
    settle: str | None = None  # what gains are paid in
    status: str | None = None  # the venue's own word
    expiry: str | None = None  # YYYYMMDD of a dated instrument or an option
    strike: str | None = None
    right: Literal["C", "P"] | None = None
    alias_of: str | None = None  # the venue's symbol under which its data is sent, where that is another
    category: str | None = None  # the venue's word for the list that holds it, where lists share venue symbols
    # The venue's name of what its worth follows, and of which class its base is; None where the venue states none.
    underlying: str | None = None
    asset_class: AssetClass | None = None

    @property
    def symbol(self) -> str:
        """The canonical symbol."""
        pair = f"{self.base}-{self.quote}"
        match self.kind:
            case Kind.SPOT:
                return pair
            case Kind.PERPETUAL:
                return f"{pair}-PERP"
            case Kind.FUTURE:
                return f"{pair}-{self.expiry}"
        return f"{pair}-{self.expiry}-{self.strike}-{self.right}"

    def expires_by(self, now_ns: int) -> bool:
        """Whether it is dated, and its day has come."""
        return self.expiry is not None and self.expiry <= utc_day(now_ns // 10**9)

    @property
    def is_ended(self) -> bool:
        """Whether the venue lists it only as one that was."""
        return self.status is not None and self.status.lower() in ENDED


class Instruments:
    """The instruments of one venue, found by the venue's symbol (and category, where it has such) or by ours."""

    def __init__(self, exchange: str, instruments: Iterable[Instrument] = ()) -> None:
        self.exchange = exchange
        self._by_venue: dict[tuple[str | None, str], Instrument] = {}
        self._by_symbol: dict[str, Instrument] = {}
        for instrument in instruments:
            self.add(instrument)

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._by_venue.values())

    def __len__(self) -> int:
        return len(self._by_venue)

    def add(self, instrument: Instrument) -> None:
        self._by_venue[instrument.category, instrument.venue_symbol] = instrument
        self._by_symbol[instrument.symbol] = instrument

    def named(self, venue_symbol: str, category: str | None = None) -> Instrument:
        """The instrument that the venue calls ``venue_symbol``; raises UnknownInstrument."""
        try:
            return self._by_venue[category, venue_symbol]
        except KeyError:
            raise UnknownInstrument(self.exchange, venue_symbol) from None

    def within(self, category: str) -> Instruments:
        """Those of one category."""
        return Instruments(self.exchange, (row for row in self if row.category == category))

    def parts(self, size: int) -> list[Instruments]:
        """So many at a time, in this order: what one connection takes."""
        rows = list(self)
        return [Instruments(self.exchange, rows[start : start + size]) for start in range(0, len(rows), size)]

    def parts_within(self, most: int, cost: Callable[[Instrument], int]) -> list[Instruments]:
        """As many at a time as ``most`` allows where each has a cost; one that costs more has a part of its own."""
        parts: list[list[Instrument]] = []
        spent = 0
        for row in self:
            spent += cost(row)
            if not parts or spent > most:
                parts.append([])
                spent = cost(row)
            parts[-1].append(row)
        return [Instruments(self.exchange, part) for part in parts]

    def categories(self, venue_symbol: str) -> list[str | None]:
        """The categories that list ``venue_symbol``, in the order in which they came."""
        return [category for category, name in self._by_venue if name == venue_symbol]

    def named_by(self, name: str, now_ns: int) -> dict[str, Instrument]:
        """What a setting means by ``name`` today: one by the name itself, or of a whole chain each by its symbol."""
        pair, _, rule = name.partition("@")
        if rule != CHAIN:
            found = self.find(name, now_ns)
            return {} if found is None else {name: found}
        return {
            row.symbol: row
            for row in self
            if row.kind is Kind.OPTION and f"{row.base}-{row.quote}" == pair
            if not row.is_ended and not _is_past(row, now_ns)
        }

    def find(self, name: str, now_ns: int) -> Instrument | None:
        """The one that a setting means by ``name``, a canonical symbol or a rule; None where none can be traded."""
        if "@" in name:
            return self._by_rule(name, now_ns)
        found = self._by_symbol.get(name)
        return None if found is None or found.is_ended or _is_past(found, now_ns) else found

    def _by_rule(self, name: str, now_ns: int) -> Instrument | None:
        pair, rule = check_rule(name)
        place, is_quarterly = RULES[rule]
        dated = [
            row
            for row in self
            if row.kind is Kind.FUTURE and f"{row.base}-{row.quote}" == pair and not row.is_ended
            if not _is_past(row, now_ns) and not (is_quarterly and not _is_quarterly(row.expiry or ""))
        ]
        by_expiry = {row.expiry: row for row in dated}  # a contract in two forms has one symbol
        return by_expiry[sorted(by_expiry, key=str)[place]] if len(by_expiry) > place else None

    def select(self, symbols: Iterable[str]) -> Instruments:
        """The instruments with these canonical symbols, in this order; raises ConfigError naming the unknown ones."""
        wanted = list(symbols)
        unknown = [symbol for symbol in wanted if symbol not in self._by_symbol]
        if unknown:
            raise ConfigError(f"{self.exchange} does not list {', '.join(unknown)}; it lists {len(self)} instruments")
        return Instruments(self.exchange, (self._by_symbol[symbol] for symbol in wanted))


def check_rule(name: str) -> tuple[str, str]:
    """(pair, rule) of a name with a rule; raises ConfigError naming the rules there are."""
    pair, _, rule = name.partition("@")
    if rule not in (*RULES, CHAIN) or "-" not in pair:
        rules = ", ".join((*RULES, CHAIN))
        raise ConfigError(f"{name!r} names no contract by a rule: write PAIR@RULE, the rules are {rules}")
    return pair, rule


def _is_past(row: Instrument, now_ns: int) -> bool:
    """Whether its day of expiry is over; during that day the venue's list says whether it still trades."""
    return row.expiry is not None and row.expiry < utc_day(now_ns // 10**9)


def _is_quarterly(expiry: str) -> bool:
    """Whether a day written YYYYMMDD is the last Friday of a quarter, as it is on every venue that has such."""
    day = datetime.strptime(expiry, "%Y%m%d")
    return day.month % 3 == 0 and day.weekday() == 4 and (day + timedelta(days=7)).month != day.month
