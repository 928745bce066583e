"""What is planted at a venue is found, as an interval with its cause or a dead letter, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mdplatform_tests.chaos.dayledger import Entry, text
from mdplatform_tests.chaos.dirtyday import Script, ledger_of
from mdplatform_tests.chaos.plants import MANNERS, short_day, whole_day

EnterDay = Callable[[dict[str, dict[str, Entry]]], None]
SHORT = ("binance", "bybit", "kraken")  # a book that needs REST, three kinds of socket, checksums


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("venue", MANNERS)
def test_a_dirty_hour_at_40_symbols_leaves_nothing_missed_and_nothing_false(venue: str, enter_day: EnterDay) -> None:
    _all_found(whole_day, venue, 40, 3600, enter_day)


@pytest.mark.parametrize("venue", SHORT)
def test_a_dirty_quarter_of_an_hour_leaves_nothing_missed_and_nothing_false(venue: str, enter_day: EnterDay) -> None:
    _all_found(short_day, venue, 20, 900, enter_day)


def _all_found(script: Script, venue: str, symbols: int, seconds: float, enter_day: EnterDay) -> None:
    ledger = ledger_of(script, [venue], symbols, seconds)
    enter_day(ledger)
    entries = ledger[venue].values()
    assert (sum(one.missed for one in entries), sum(one.false for one in entries)) == (0, 0), "\n" + text(ledger, 20)
