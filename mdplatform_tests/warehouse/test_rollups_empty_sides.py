"""An hour in which sides come and go, against the same hour worked out second by second in plain Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse.rollups import build_spread_hourly, build_top_of_book_minute, build_trades_minute
from mdplatform_tests.warehouse.rows import HOUR, LAG_NS, after, put_books, put_status

# The seconds in which the feed is proven; books are on whole seconds, so that each second has one book.
PROVEN = [(-100, 700), (900, 2500), (2600, 3601)]


@dataclass(frozen=True)
class Side:
    price: float
    size: float


@dataclass(frozen=True)
class Planted:
    second: int
    bid: Side | None
    ask: Side | None

    @property
    def mid(self) -> float | None:
        return None if self.bid is None or self.ask is None else (self.bid.price + self.ask.price) / 2


def planted() -> list[Planted]:
    """A book every few seconds; a side is empty in two of five, both are in one of ten."""
    rng, books = random.Random(7), []
    for second in sorted(rng.sample(range(-30, 3600), 400)):
        bid, ask = Side(100 - rng.randrange(1, 9) / 4, rng.randrange(1, 9)), Side(100 + rng.randrange(1, 9) / 4, 2.0)
        kept = rng.choice(["both"] * 5 + ["bid", "bid", "ask", "ask", "none"])
        books.append(
            Planted(second, bid if kept in ("both", "bid") else None, ask if kept in ("both", "ask") else None)
        )
    return books


def put(client: Client, books: Sequence[Planted]) -> None:
    put_books(
        client,
        *(
            {
                "at": after(book.second),
                "sequence": number,
                "b": [book.bid.price] if book.bid else [],
                "bv": [book.bid.size] if book.bid else [],
                "a": [book.ask.price] if book.ask else [],
                "av": [book.ask.size] if book.ask else [],
            }
            for number, book in enumerate(books, 1)
        ),
    )
    for begin, end in PROVEN:
        put_status(client, "valid", after(begin) + LAG_NS, after(end) + LAG_NS)
        put_status(client, "gap", after(end) + LAG_NS, after(end) + LAG_NS + 1)


def in_force(books: Sequence[Planted], begin: int, end: int) -> list[Planted]:
    """The proven book of each second of [begin, end); seconds without one are left out."""
    found = []
    for second in range(begin, end):
        last = max((book for book in books if book.second <= second), key=lambda b: b.second, default=None)
        if last and any(start <= last.second <= until and start <= second < until for start, until in PROVEN):
            found.append(last)
    return found


def flow(books: Sequence[Planted]) -> float:
    """Of the updates in the hour that follow another one of the same proof (Cont, Kukanov, Stoikov 2014)."""
    total, infinite = 0.0, float("inf")
    for last, now in pairwise(books):
        together = any(start <= last.second <= until and start <= now.second <= until for start, until in PROVEN)
        if now.second < 0 or not together:
            continue
        before, after_it = last.bid or Side(-infinite, 0), now.bid or Side(-infinite, 0)
        total += (after_it.size if after_it.price >= before.price else 0) - (
            before.size if after_it.price <= before.price else 0
        )
        before, after_it = last.ask or Side(infinite, 0), now.ask or Side(infinite, 0)
        total += (before.size if after_it.price >= before.price else 0) - (
            after_it.size if after_it.price <= before.price else 0
        )
    return total


def expected(books: Sequence[Planted], begin: int, end: int) -> dict[str, float | None]:
    """What a row over these seconds must say."""
    held = in_force(books, begin, end)
    both = [(b.bid, b.ask, b.mid) for b in held if b.bid and b.ask and b.mid]
    mids = [mid for _, _, mid in both]
    gaps = [ask.price - bid.price for bid, ask, _ in both]
    return {
        "updates": sum(begin <= book.second < end for book in books),
        "coverage": len(held) / (end - begin),
        "spread": sum(gaps) / len(gaps) if gaps else None,
        "spread_bps": sum(1e4 * gap / mid for gap, mid in zip(gaps, mids, strict=True)) / len(gaps) if gaps else None,
        "mid_open": mids[0] if mids else None,
        "mid_high": max(mids, default=None),
        "mid_low": min(mids, default=None),
        "mid_close": mids[-1] if mids else None,
    }


def row(client: Client, table: str, columns: Sequence[str], key: str, value: object) -> dict[str, float | None]:
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = {{value:DateTime('UTC')}}"
    return dict(next(iter(client.query(query, parameters={"value": value}).named_results())))


def test_an_hours_spread_is_that_of_the_time_with_both_sides(warehouse: Client) -> None:
    books = planted()
    put(warehouse, books)
    build_spread_hourly(warehouse, HOUR)
    wanted = expected(books, 0, 3600)
    both = [(b.bid, b.ask) for b in in_force(books, 0, 3600) if b.bid and b.ask]
    wanted["imbalance"] = sum((bid.size - ask.size) / (bid.size + ask.size) for bid, ask in both) / len(both)
    wanted["order_flow_imbalance"] = flow(books)
    assert row(warehouse, "md_spread_hourly", list(wanted), "hour", HOUR) == pytest.approx(wanted)


def test_a_minutes_spread_is_that_of_the_time_with_both_sides(warehouse: Client) -> None:
    books = planted()
    put(warehouse, books)
    build_trades_minute(warehouse, HOUR)
    build_top_of_book_minute(warehouse, HOUR)
    for minute in range(60):
        wanted = expected(books, minute * 60, minute * 60 + 60)
        if wanted["updates"] or wanted["coverage"]:
            at = HOUR + timedelta(minutes=minute)
            found = row(warehouse, "md_top_of_book_minute", list(wanted), "minute", at)
            assert found == pytest.approx(wanted), minute


def test_an_hour_in_which_nobody_offers_is_covered_and_has_no_spread(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(0), "sequence": 1, "a": [], "av": []})
    put_status(warehouse, "valid", after(0) + LAG_NS, after(3600) + LAG_NS)
    build_spread_hourly(warehouse, HOUR)
    columns = ("coverage", "spread", "spread_p99", "mid_open", "imbalance", "realized_volatility")
    found = row(warehouse, "md_spread_hourly", columns, "hour", HOUR)
    assert found == {**dict.fromkeys(columns), "coverage": 1.0}
