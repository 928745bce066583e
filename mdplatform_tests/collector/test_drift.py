"""Drift of a venue: fields never seen, channels slower than documented, silence, gaps, limits."""

from typing import Any

import msgspec

from mdplatform.collector.drift import Measured, judge, watch
from mdplatform.collector.sampler import EVERY_NS, FrameSampler
from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStats, FeedStatus
from mdplatform.core.session import Channel
from mdplatform.core.settings import Settings
from mdplatform.venues import venue
from mdplatform_tests.collector.rig import simulated

BYBIT = venue("bybit")
BOOK = Channel("orderbook.50", "book", "", cadence_s=0.1)
TRADE = {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1, "data": [{"T": 1, "s": "BTCUSDT", "p": "1"}]}


def stats(**fields: Any) -> FeedStats:
    counters = dict.fromkeys(
        ("ts_ns", "symbols", "frames", "bytes", "events", "reconnects", "gaps", "dead_letters", "published", "failed"),
        0,
    )
    given = counters | {"exchange": "bybit", "conn": "c", "queue": 0, "paused_ms": 0} | fields
    return FeedStats(**given)


def status(state: Any, cause: str, channel: str = "book") -> FeedStatus:
    return FeedStatus("bybit", "BTC-USDT", channel, state, cause, 1)


def drifts(found: list[Measured]) -> list[tuple[str, str]]:
    return [(row.measure, row.subject) for row in found if row.is_drift]


def test_a_venue_that_does_as_documented_drifts_in_nothing() -> None:
    found = judge(BYBIT, [BOOK], [stats(frames=1000, cadence_ms={"book": 120.0})], [status("valid", "snapshot")])
    assert [row.measure for row in found] == ["cadence", "gaps", "limit met"]
    assert not drifts(found)


def test_a_channel_slower_than_documented_is_found() -> None:
    found = judge(BYBIT, [BOOK], [stats(cadence_ms={"book": 500.0})], [])
    assert drifts(found) == [("cadence", "book (orderbook.50)")]


def test_the_cadence_of_a_connection_that_ended_is_the_last_that_it_had() -> None:
    found = judge(BYBIT, [BOOK], [stats(cadence_ms={"book": 500.0}), stats()], [])
    assert drifts(found) == [("cadence", "book (orderbook.50)")]


def test_a_channel_that_was_acknowledged_and_stays_silent_is_found() -> None:
    assert drifts(judge(BYBIT, [], [], [status("resync", "subscribing")])) == [("silent channel", "BTC-USDT book")]
    assert drifts(judge(BYBIT, [], [], [status("down", "silent_channel")])) == [("silent channel", "BTC-USDT book")]
    assert not drifts(judge(BYBIT, [], [], [status("resync", "subscribing", "trades")]))


def test_gaps_limits_and_refused_frames_are_found() -> None:
    found = judge(BYBIT, [], [stats(frames=100_000, gaps=2, limits_met=3)], [], [("not_json", "no JSON at 7")])
    assert drifts(found) == [
        ("refused frame", "not_json: no JSON at 7"),
        ("gaps", "a million frames"),
        ("limit met", "answers 429 and 418"),
    ]


def test_a_field_never_seen_before_is_counted_and_one_example_kept() -> None:
    sampler = FrameSampler("bybit")
    odd = msgspec.json.encode(TRADE | {"data": [{"T": 1, "s": "BTCUSDT", "p": "1", "whale": True}]})
    letters = [sampler.look(odd, n * (EVERY_NS + 1), "c") for n in range(1, 4)]
    assert sampler.counts == {"publicTrade/snapshot data[].whale": 3}
    assert [letter.reason for letter in letters if letter is not None] == ["unfamiliar_field"]
    assert letters[0] is not None
    assert letters[0].frame == odd


def test_a_kind_of_frame_never_seen_before_is_a_field_never_seen_before() -> None:
    sampler = FrameSampler("bybit")
    assert sampler.look(b'{"topic":"whales.BTCUSDT"}', 1, "c") is not None
    assert list(sampler.counts) == ["whales topic"]


def test_frames_that_begin_alike_are_looked_at_once_in_a_while() -> None:
    sampler = FrameSampler("bybit")
    odd = msgspec.json.encode(TRADE | {"extra": 1})
    for n in range(100):
        sampler.look(odd, SECOND + n, "c")
    assert sum(sampler.counts.values()) == 1


def test_a_venue_that_makes_up_names_without_end_fills_no_memory() -> None:
    sampler = FrameSampler("bybit")
    for n in range(1000):
        sampler.look(b'{"field%s":1}' % bytes([97 + n % 26, 97 + n // 26 % 26, 97 + n // 676]), n * (EVERY_NS + 1), "c")
    assert len(sampler.counts) <= 200


async def test_a_look_at_a_simulated_venue_lists_its_cadences_and_no_drift() -> None:
    async with simulated(venues=("bybit",)) as simulator:
        settings = Settings(
            ws_urls=f"bybit={simulator.ws_url('bybit')}", rest_urls=f"bybit={simulator.rest_url('bybit')}"
        )
        found = await watch("bybit", settings, ("BTC-USDT",), 5.0)
    assert not drifts(found)
    assert "cadence" in {row.measure for row in found}


async def test_a_venue_that_cannot_be_reached_is_one_line() -> None:
    settings = Settings(ws_urls="bybit=ws://127.0.0.1:1", rest_urls="bybit=http://127.0.0.1:1")
    (row,) = await watch("bybit", settings, ("BTC-USDT",), 1.0)
    assert (row.measure, row.is_drift) == ("reached", True)
