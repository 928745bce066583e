"""At every venue: of a frame [good, bad, good] the good rows are published once each, the bad one is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import pytest

from mdplatform import venues
from mdplatform.events import DeadLetter, Liquidation, Trade
from mdplatform.session import Output, Session

T = 1_790_000_000_000  # ms
NOW = (T + 1000) * 1_000_000


class Case(NamedTuple):
    """``row`` makes the row of a number with this price, ``frame`` the text around rows."""

    venue: str
    row: Callable[[int, str], dict[str, object]]
    frame: Callable[[list[dict[str, object]]], object]


def _hyperliquid(n: int, price: str) -> dict[str, object]:
    return {"coin": "BTC", "side": "A", "px": price, "sz": "1", "hash": "0x", "time": T + n, "tid": n}


CASES = {
    "hyperliquid": Case("hyperliquid", _hyperliquid, lambda rows: {"channel": "trades", "data": rows}),
}


def _session(case: Case) -> Session:
    venue = venues.venue(case.venue)
    return venue.reader(venue.known_instruments())


def _prices(outputs: list[Output]) -> list[str]:
    return [event.price for event in outputs if isinstance(event, Trade | Liquidation)]


def _letters(outputs: list[Output]) -> list[DeadLetter]:
    return [event for event in outputs if isinstance(event, DeadLetter)]


@pytest.mark.parametrize("name", CASES)
def test_a_bad_price_costs_no_other_row(name: str) -> None:
    case = CASES[name]
    frame = json.dumps(case.frame([case.row(1, "11"), case.row(2, "0"), case.row(3, "13")]), separators=(",", ":"))
    outputs = _session(case).receive(frame.encode(), NOW)
    assert sorted(_prices(outputs)) == ["11", "13"]
    assert [(letter.reason, letter.error[:11], letter.frame) for letter in _letters(outputs)] == [
        ("bad_number", "row 2 of 3:", frame.encode())
    ]


@pytest.mark.parametrize("name", CASES)
def test_a_row_of_another_shape_costs_no_other_row(name: str) -> None:
    case = CASES[name]
    frame = json.dumps(case.frame([case.row(1, "11"), {"odd": 1}, case.row(3, "13")]), separators=(",", ":"))
    outputs = _session(case).receive(frame.encode(), NOW)
    assert sorted(_prices(outputs)) == ["11", "13"]
    assert [(letter.reason, letter.error[:11]) for letter in _letters(outputs)] == [("wrong_shape", "row 2 of 3:")]


@pytest.mark.parametrize("name", CASES)
def test_no_row_is_known_as_seen_that_was_not_published(name: str) -> None:
    case = CASES[name]
    session = _session(case)
    session.receive(json.dumps(case.frame([case.row(n, "0") for n in (1, 2)]), separators=(",", ":")).encode(), NOW)
    frame = json.dumps(case.frame([case.row(n, f"1{n}") for n in (1, 2)]), separators=(",", ":"))
    assert sorted(_prices(session.receive(frame.encode(), NOW))) == ["11", "12"]
    assert _prices(session.receive(frame.encode(), NOW)) == []
