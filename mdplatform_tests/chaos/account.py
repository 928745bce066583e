"""What was acknowledged, what the log serves and what readers are shown, held against each other."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from clickhouse_connect.driver.client import Client

from mdplatform_tests.chaos.witness import Acknowledged

Row = dict[str, Any]
Identity = tuple[str, str, str]  # channel, symbol, sequence or id
Spans = Mapping[tuple[str, str], list[tuple[int, int]]]  # symbol, channel -> from, to in ns
BOOKS = "SELECT symbol, toString(sequence), b, bv, a, av FROM md_orderbook_depth"
TRADES = "SELECT symbol, id, price, qty, side FROM md_trades"
STATUSES = """
SELECT symbol, channel, toInt64(started_ns), toInt64(ifNull(ended_ns, started_ns))
FROM md_feed_status WHERE state != 'valid'
"""
FIRST_BOOKS = """
SELECT symbol, sequence, previous_sequence, toInt64(toUnixTimestamp64Nano(received_at))
FROM md_orderbook_depth ORDER BY symbol, sequence
"""


@dataclass(frozen=True)
class Account:
    """Of one fault. ``lost`` and ``doubled`` are of the readers' tables."""

    acknowledged: int  # books and trades
    rows: int
    lost: tuple[Identity, ...]  # acknowledged and not in the tables, or with other content
    marked: int  # of those lost, how many a row of md_feed_status covers
    unread: int  # served by the broker and not in the tables
    doubled: int
    gaps: int  # intervals that are not valid
    breaks: int  # links missing between two books of a symbol, without such an interval over them

    @property
    def silent(self) -> int:
        """Lost without a word."""
        return len(self.lost) - self.marked + self.breaks

    @property
    def is_whole(self) -> bool:
        """Nothing is lost, nothing comes twice, and everything that should be reported is reported."""
        return not (self.lost or self.unread or self.doubled or self.breaks)


def channel_of(topic: str) -> str | None:
    """The channel of a topic of books or trades, whatever its prefix; None for others."""
    return "book" if topic.endswith("orderbook.normalized") else "trades" if "trades." in topic else None


def identity(channel: str, value: bytes) -> tuple[Identity, tuple[Any, ...], int]:
    """Who a message is, what it says as the tables hold it, and when it was received."""
    row = json.loads(value)
    if channel == "book":
        content: tuple[Any, ...] = tuple(tuple(map(float, row[side])) for side in ("b", "bv", "a", "av"))
        return (channel, row["symbol"], str(row["sequence"])), content, row["received_ns"]
    return (
        (channel, row["symbol"], row["id"]),
        (float(row["price"]), float(row["qty"]), row["side"]),
        row["received_ns"],
    )


def shown(client: Client) -> list[tuple[Identity, tuple[Any, ...]]]:
    """Every row that readers see."""
    rows: list[tuple[Identity, tuple[Any, ...]]] = []
    for symbol, sequence, *sides in client.query(BOOKS).result_rows:
        rows.append((("book", symbol, sequence), tuple(tuple(side) for side in sides)))
    for symbol, number, *content in client.query(TRADES).result_rows:
        rows.append((("trades", symbol, number), tuple(content)))
    return rows


def reconcile(client: Client, acknowledged: Iterable[Acknowledged], log: Iterable[Acknowledged]) -> Account:
    """``log``: what the broker serves."""
    rows = shown(client)
    says: dict[Identity, set[tuple[Any, ...]]] = defaultdict(set)
    for who, content in rows:
        says[who].add(content)
    spans = intervals(client.query(STATUSES).result_rows)
    wanted = {who: (contents, at) for who, contents, at in _told(acknowledged)}
    lost = tuple(who for who, (contents, _) in wanted.items() if not says[who] & contents)
    return Account(
        acknowledged=len(wanted),
        rows=len(rows),
        lost=lost,
        marked=sum(covered(spans, who[1], who[0], wanted[who][1]) for who in lost),
        unread=sum(not says[who] & contents for who, contents, _ in _told(log)),
        doubled=sum(count - 1 for count in Counter(who for who, _ in rows).values()),
        gaps=sum(len(found) for found in spans.values()),
        breaks=broken(client.query(FIRST_BOOKS).result_rows, spans),
    )


def intervals(rows: Iterable[tuple[Any, ...]]) -> Spans:
    spans: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for symbol, channel, start, end in rows:
        spans[symbol, channel].append((start, end))
    return spans


def covered(spans: Spans, symbol: str, channel: str, start: int, end: int | None = None) -> bool:
    """Whether an interval touches the time."""
    found = spans.get((symbol, channel), [])
    return any(begins <= (start if end is None else end) and start <= ends for begins, ends in found)


def broken(books: Iterable[tuple[Any, ...]], spans: Spans) -> int:
    """Neighbours of a symbol that are no neighbours on the venue, and nothing says so."""
    count = 0
    for (symbol, sequence, _, before), (later, _, previous, after) in pairwise(books):
        is_break = symbol == later and previous != sequence
        count += is_break and not covered(spans, symbol, "book", min(before, after), max(before, after))
    return count


def _told(messages: Iterable[Acknowledged]) -> list[tuple[Identity, set[tuple[Any, ...]], int]]:
    """By identity, everything that messages say of it; two collectors may say it each in their way."""
    found: dict[Identity, tuple[set[tuple[Any, ...]], int]] = {}
    for message in messages:
        channel = channel_of(message.topic)
        if channel is not None:
            who, content, at = identity(channel, message.value)
            found.setdefault(who, (set(), at))[0].add(content)
    return [(who, contents, at) for who, (contents, at) in found.items()]
