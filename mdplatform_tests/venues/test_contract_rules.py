"""The contracts that rules name, by lists that venues sent, at the time when they sent them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform.core.errors import FrameError
from mdplatform.core.symbols import RULES, Instrument, Instruments
from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform.venues import venue

# venue, recording, pair -> expiry by rule: front, next, front-quarter, next-quarter
RECORDED = [
    ("binance-coinm", "binance/cryptofeed_BINANCE_DELIVERY.0", "BTC-USD", "210924 211231 210924 211231"),
    ("binance-usdm", "binance/cryptofeed_BINANCE_FUTURES.0", "BTC-USDT", "210924 - 210924 -"),
    ("okx", "okx/cryptofeed_OKX.0.first5.gz", "BTC-USD", "220520 220527 220624 220930"),
    ("okx", "okx/cryptofeed_OKX.0.first5.gz", "BTC-USDT", "220520 220527 220624 220930"),
    ("deribit", "deribit/cryptofeed_DERIBIT.0.gz", "BTC-USD", "210723 210730 210924 211231"),
    ("kraken", "kraken/cryptofeed_KRAKEN_FUTURES.0", "BTC-USD", "210730 210924 210924 211231"),
]


@pytest.mark.parametrize(("venue_id", "name", "pair", "expiries"), RECORDED)
def test_rules_name_the_contracts_of_recorded_lists(
    venue_id: str, name: str, pair: str, expiries: str, shared_data: Path
) -> None:
    stated = list(listed(venue_id, shared_data / name))
    known, now_ns = Instruments(venue_id, (row for _, row in stated)), stated[-1][0]
    found = {rule: known.find(f"{pair}@{rule}", now_ns) for rule in RULES}
    assert {rule: "-" if row is None else str(row.expiry)[2:] for rule, row in found.items()} == dict(
        zip(RULES, expiries.split(), strict=True)
    )


def listed(venue_id: str, path: Path) -> Iterator[tuple[int, Instrument]]:
    """Every instrument of the lists in a recording, with the time of their receipt."""
    for entry in parse(read_lines(path)):
        if isinstance(entry, Entry):
            try:
                stated = venue(venue_id).parse_instruments(entry.frame)
            except FrameError:
                continue  # no list
            yield from ((entry.received_ns, row) for row in stated.instruments)
