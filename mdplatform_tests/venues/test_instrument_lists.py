"""Instrument lists with one odd row: whatever is wrong with it, every other instrument is known."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mdplatform.collector.instrument_selection import Lists
from mdplatform.core.clock import SystemClock
from mdplatform.core.events import DeadLetter, Listing
from mdplatform.core.symbols import Instruments
from mdplatform.feed.rate_limit import Budget
from mdplatform.feed.rest import RestClient
from mdplatform.venues import venue, venue_ids
from mdplatform_tests.simulator.rig import simulator

ABSENT = object()
ODD = (None, "", 0, ABSENT, [1], {"a": 1}, "odd", 1.5, True)
NOW = 1_790_000_000_000_000_000


@pytest.fixture(scope="module")
def lists() -> dict[str, list[Any]]:
    """Every list of every venue, decoded, as the simulator answers."""
    return asyncio.run(_lists())


async def _lists() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    async with simulator(levels=50) as running:
        for name in venue_ids():
            budget = Budget(1000, 1.0)
            async with RestClient(running.rest_url(name), budget, SystemClock(), None, only=True) as rest:
                await Lists(
                    venue(name),
                    rest,
                    SystemClock(),
                    lambda body, _, name=name: found.setdefault(name, []).append(json.loads(body)),
                ).ask()
    return found


def rows_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of one row of each shape: rows are the objects of the outermost lists, or maps, of objects."""
    children = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    objects = [(key, child) for key, child in children if isinstance(child, dict)]
    if objects and len(objects) == len(children):
        shapes: dict[Any, Any] = {}
        for key, row in objects:
            kind = tuple(row.get(name) for name in ("instType", "contractType", "type", "kind", "category", "index"))
            shapes.setdefault((frozenset(row), str(kind)), key)
        yield from ((value, key) for key in shapes.values())
        return
    for _, child in children:
        if isinstance(child, list | dict):
            yield from rows_of(child)


def odd_lists(body: Any) -> Iterator[tuple[str, Any, Any]]:
    """(what is odd, the list with it, the list without that row)."""
    for place, (container, key) in enumerate(rows_of(body)):
        without = copy.deepcopy(body)
        held, name = list(rows_of(without))[place]
        row = container[key]
        if len(held) == 1:
            continue  # nothing else is listed here
        del held[name]
        for field in row:
            for odd in ODD:
                changed = copy.deepcopy(body)
                held, name = list(rows_of(changed))[place]
                if odd is ABSENT:
                    del held[name][field]
                else:
                    held[name][field] = odd
                yield f"{field} = {'absent' if odd is ABSENT else odd!r} of {row}", changed, without


@pytest.mark.parametrize("venue_id", venue_ids())
def test_an_odd_field_of_one_row_costs_no_other_instrument(venue_id: str, lists: dict[str, list[Any]]) -> None:
    facts, tried = venue(venue_id), 0
    for body in lists[venue_id]:
        for what, changed, without in odd_lists(body):
            tried += 1
            others = {row.symbol: row for row in facts.parse_instruments(json.dumps(without).encode()).instruments}
            listed = facts.parse_instruments(json.dumps(changed).encode())
            found = Instruments(venue_id, listed.instruments)
            for symbol, row in others.items():
                assert next(iter(found.select([symbol]))) == row, what
            assert all(row.reason and row.detail and row.row for row in listed.refused)
    assert tried > 100


@pytest.mark.parametrize(
    ("venue_id", "row"),
    [
        ("deribit", {"instrument_name": "X", "kind": "0", "base_currency": "X", "quote_currency": "USD"}),
        ("okx", {"instType": "0", "instId": "X-USD", "baseCcy": "X", "quoteCcy": "USD"}),
        ("bybit", {"symbol": "XUSD", "contractType": "0", "baseCoin": "X", "quoteCoin": "USD"}),
        ("cryptocom", {"symbol": "X_USD", "inst_type": "0", "base_ccy": "X", "quote_ccy": "USD"}),
        ("kraken", {"symbol": "PF_XUSD", "type": "0", "base": "X", "quote": "USD"}),
    ],
)
def test_a_kind_that_is_no_word_is_refused_and_one_of_tomorrow_left_out(venue_id: str, row: dict[str, str]) -> None:
    envelope = {
        "deribit": lambda rows: {"result": rows},
        "okx": lambda rows: {"code": "0", "msg": "", "data": rows},
        "bybit": lambda rows: {"retCode": 0, "result": {"category": "linear", "list": rows}},
        "cryptocom": lambda rows: {"code": 0, "result": {"data": rows}},
        "kraken": lambda rows: {"result": "success", "instruments": rows},
    }[venue_id]
    tomorrow = {name: value if value != "0" else "Invented" for name, value in row.items()}
    listed = venue(venue_id).parse_instruments(json.dumps(envelope([row, tomorrow])).encode())
    assert (len(listed.instruments), [json.loads(one.row) for one in listed.refused]) == (0, [row])


# A field of each list without which a row states no instrument.
NEEDED = ("symbol", "base_currency", "instrument_name", "instId")
NEEDED_AT = {
    "gate": ("base", "quanto_multiplier"),
    "kraken": ("pair_decimals", "symbol"),
    "hyperliquid": ("tokens", "name"),
}


@pytest.mark.parametrize("venue_id", venue_ids())
def test_a_row_of_a_recorded_list_that_states_no_instrument_is_a_dead_letter_beside_the_others(
    venue_id: str, lists: dict[str, list[Any]]
) -> None:
    facts, needed = venue(venue_id), NEEDED_AT.get(venue_id, NEEDED)
    for body in lists[venue_id]:
        everything = facts.parse_instruments(json.dumps(body).encode()).instruments
        if not everything:
            continue
        changed = copy.deepcopy(body)
        row, field = next(
            (held[key], field) for held, key in rows_of(changed) for field in needed if field in held[key]
        )
        row[field] = None
        frame = json.dumps(changed, separators=(",", ":")).encode()
        outputs = facts.reader(Instruments(venue_id)).receive(frame, NOW)
        letters = [output for output in outputs if isinstance(output, DeadLetter)]
        assert len([output for output in outputs if isinstance(output, Listing)]) == len(everything) - 1
        assert [json.loads(letter.frame) for letter in letters] == [row]
