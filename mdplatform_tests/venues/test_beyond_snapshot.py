"""Books from a REST snapshot of so many levels: what becomes of them when the market walks out of it."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.session import Fetch, Output, Request, Session
from mdplatform_tests.venues.test_pauses import RIGS, Json, Rig, replies

LIMITS = {
    "binance": 1000,
    "binance-usdm": 1000,
    "binance-coinm": 1000,
    "gate": 100,
    "kucoin": 100,
    "okx by rest": 400,
}
venues = pytest.mark.parametrize(("rig", "limit"), [(RIGS[name], limit) for name, limit in LIMITS.items()], ids=LIMITS)

Rows = Iterable[tuple[int, int]]  # price in tenths, size


def rows(levels: Rows, width: int) -> list[list[str]]:
    return [[f"{price // 10}.{price % 10}", str(size), "1", "1"][:width] for price, size in levels]


def put(message: Any, bids: Rows, asks: Rows) -> Any:
    """The message with these levels in place of its own, wherever the venue has them."""
    if isinstance(message, list):
        return [put(part, bids, asks) for part in message]
    if not isinstance(message, dict):
        return message
    width = max((len(row) for side in ("b", "bids") for row in message.get(side, ())), default=0)
    sides = {"b": bids, "bids": bids, "a": asks, "asks": asks} if width else {}
    return {
        name: rows(sides[name], width) if name in sides else put(value, bids, asks) for name, value in message.items()
    }


class Opened:
    """A session that is confirmed everything and has joined a snapshot of ``limit`` levels a side around 10,000."""

    def __init__(self, rig: Rig, limit: int) -> None:
        self.rig, self.limit, self.number, self.top = rig, limit, 100, 100_000
        self.session: Session = rig.session()
        sent = self.session.connected("c1", 0)
        if rig.venue == "kucoin":
            sent += self.session.receive(b'{"id":"x","type":"welcome"}', 0)
        while sent:
            frames = [output.frame for output in sent if hasattr(output, "frame") and output.frame[:1] == b"{"]
            answers = [reply for frame in frames for reply in replies(msgspec.json.decode(frame), 0)]
            sent = [output for reply in answers for output in self.session.receive(msgspec.json.encode(reply), 0)]
        (self.request,) = requests(self.update(1, [(self.top, 1)]))
        self.answer(2)
        self.update(3, [(self.top, 2)])

    def update(self, now_ns: int, bids: Rows, asks: Rows = ()) -> list[Output]:
        self.number += 1
        message = put(self.rig.update(self.number, "10.0"), list(bids), list(asks))
        return self.session.receive(msgspec.json.encode(message), now_ns)

    def answer(self, now_ns: int) -> list[Output]:
        bids = [(self.top - step, 1) for step in range(self.limit)]
        asks = [(self.top + 1 + step, 1) for step in range(self.limit)]
        body: Json = put(self.rig.snapshot(self.number), bids, asks)
        return self.session.answer(self.request, 200, msgspec.json.encode(body), now_ns)

    def fall(self, ticks: int, now_ns: int, *more: tuple[int, int]) -> list[Output]:
        """The best bids go, asks come in their place."""
        gone = range(self.top, self.top - ticks, -1)
        self.top -= ticks
        return self.update(now_ns, [*((price, 0) for price in gone), *more], [(self.top + 1, 1)])


def requests(outputs: list[Output]) -> list[Request]:
    return [output.request for output in outputs if isinstance(output, Fetch) and output.request.purpose == "snapshot"]


def books(outputs: list[Output]) -> list[Book]:
    return [output for output in outputs if isinstance(output, Book)]


def causes(outputs: list[Output]) -> list[str]:
    return [o.cause for o in outputs if isinstance(o, FeedStatus) and o.channel == "book" and o.ended_ns is None]


@venues
def test_a_touch_that_is_past_the_snapshot_ends_the_interval(rig: Rig, limit: int) -> None:
    opened = Opened(rig, limit)
    outputs = opened.fall(limit, SECOND, (100_000 - limit - 5, 1), (100_000 - limit - 50, 1))
    assert causes(outputs) == ["beyond_snapshot"]
    assert books(outputs) == []
    assert requests(outputs) == [opened.request]
    again = opened.answer(SECOND + 1) + opened.update(SECOND + 2, [(opened.top - 3, 7)])
    assert causes(again) == ["joined"]
    assert len(books(again)[-1].bid_prices) == 20


@venues
def test_what_lies_behind_the_snapshot_is_not_published(rig: Rig, limit: int) -> None:
    opened = Opened(rig, limit)
    (book,) = books(opened.fall(limit - 3, SECOND, (100_000 - limit - 5, 1)))
    assert book.bid_prices == [f"{(100_000 - limit + step) / 10:.1f}" for step in (3, 2, 1)]


@venues
def test_a_new_snapshot_is_asked_for_before_the_published_depth_ends_and_interrupts_nothing(
    rig: Rig, limit: int
) -> None:
    opened = Opened(rig, limit)
    step, outputs, asked = limit // 20, list[Output](), 0
    for second in range(1, 60):
        out = opened.fall(step, second * SECOND)
        assert len(books(out)[0].bid_prices) == 20
        if requests(out):
            asked += 1
            out += opened.answer(second * SECOND + 1)
        outputs += out
    assert asked >= 4
    assert causes(outputs) == []
