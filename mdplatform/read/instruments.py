"""What venues call an instrument and what we call it, as of a date, with its units and what is collected of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings, load
from mdplatform.core.symbols import ENDED, Kind
from mdplatform.read.rows import Names
from mdplatform.venues import venue_ids
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect_reader


@dataclass(frozen=True)
class Symbol:
    """One instrument of a venue as it was listed at a time; None where the venue states nothing.

    ``listed_since`` and ``last_listed``: the first and the last of our copies of the venue's list that had it.
    ``channels``: what was ever collected and proven of it, ``collected_since`` and ``collected_until`` when.
    """

    exchange: str
    symbol: str  # canonical
    venue_symbol: str  # the venue's own name
    category: str | None  # the venue's word for the list that holds it, where names repeat
    kind: str  # spot, perpetual, future, option
    base: str
    quote: str
    tick: float | None  # price increment, in quote units
    step: float | None  # size increment, in the venue's units
    contract_size: float | None  # what a size of 1 stands for; None: a base unit
    multiplier: float | None  # factor on contract_size
    inverse: bool  # a contract is worth quote, not base
    settle: str | None
    status: str | None  # the venue's own word
    expiry: str | None  # YYYYMMDD
    strike: float | None
    option_kind: str | None  # call or put
    alias_of: str | None  # the venue's name under which its data is sent, where another
    underlying: str | None  # what its worth follows, under the venue's name
    asset_class: str | None  # of its base, where the venue says so: crypto, stock, commodity, ...
    valid_from: datetime  # since when it is listed with just these properties
    listed_since: datetime
    last_listed: datetime
    is_gone: bool  # the venue no longer lists it
    channels: tuple[str, ...]
    collected_since: datetime | None
    collected_until: datetime | None

    @property
    def state(self) -> str:
        """listed; ended: listed as one that was; gone."""
        if self.is_gone:
            return "gone"
        return "ended" if self.status is not None and self.status.lower() in ENDED else "listed"


def symbols(
    name: str,
    *,
    venues: Names = (),
    kinds: Names = (),
    at: datetime | None = None,
    settings: Settings | None = None,
) -> list[Symbol]:
    """Instruments that ``name`` may mean, in either direction: a base asset (BTC), a canonical symbol (BTC-USDT-PERP)
    or a venue's own name (XBTUSDTM); of the last two the first parts are enough.

    ``at``: as listed then, with a zone; now by default. ``kinds``: spot, perpetual, future, option. Raises ConfigError
    and WarehouseError.
    """
    wanted = {"venue": (_several(venues), venue_ids()), "kind": (_several(kinds), tuple(Kind))}
    for what, (names, known) in wanted.items():
        if strange := [each for each in names if each not in known]:
            raise ConfigError(f"no {what} {strange[0]!r}; there are {', '.join(known)}")
    if at is not None and at.tzinfo is None:
        raise ConfigError(f"at must be a datetime with a time zone, not {at!r}: say tzinfo=UTC")
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    with connect_reader(settings or load(environment())) as client:
        rows = queries.run(
            client,
            "symbols",
            name=name.strip().upper(),
            exchanges=wanted["venue"][0],
            kinds=wanted["kind"][0],
            at=f"{moment:%Y-%m-%d %H:%M:%S.%f}"[:-3],
        )
    return [_symbol(row) for row in rows]


def _several(names: str | Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _symbol(row: dict[str, Any]) -> Symbol:
    given = {field.name: row[field.name] for field in fields(Symbol)}
    given |= {"channels": tuple(row["channels"]), "is_gone": bool(row["is_gone"]), "inverse": bool(row["inverse"])}
    if not row["channels"]:  # a join without a match gives the type's default
        given |= {"collected_since": None, "collected_until": None}
    return Symbol(**given)
