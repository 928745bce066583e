"""A collector after another: what was between them is published, and trades of that time are had."""

import pytest
from msgspec.structs import replace

from mdplatform.bus import Message
from mdplatform.bus.reader import newest_status
from mdplatform.collector.downtime import DowntimeTracker, StatusHistory
from mdplatform.core.codec import encode
from mdplatform.core.events import FeedStatus
from mdplatform_tests.collector.rig import collecting, shard, simulated
from mdplatform_tests.collector.volumes import published, runner_of, traded
from mdplatform_tests.eventually import eventually

SECOND = 1_000_000_000
FEED = ("BTC-USDT", "book")
VALID = FeedStatus("binance", *FEED, "valid", "joined", 5, 9, 1, 77)


def test_what_was_valid_is_down_since_it_is_known_to_have_been() -> None:
    published: list[FeedStatus] = []
    DowntimeTracker({FEED: VALID}, published.append).begin(100)
    assert published == [FeedStatus("binance", *FEED, "down", "restart", 9, None, None, 77)]


def test_what_was_down_already_goes_on() -> None:
    published: list[FeedStatus] = []
    DowntimeTracker({FEED: FeedStatus("binance", *FEED, "down", "stopped", 20, 25)}, published.append).begin(100)
    assert published == [FeedStatus("binance", *FEED, "down", "stopped", 20)]


def test_it_ends_where_the_feed_is_valid_again_and_once() -> None:
    published: list[FeedStatus] = []
    restart = DowntimeTracker({FEED: VALID}, published.append)
    restart.seen(FeedStatus("binance", *FEED, "resync", "no_snapshot", 120))
    restart.seen(FeedStatus("binance", *FEED, "valid", "joined", 130))
    restart.seen(FeedStatus("binance", *FEED, "valid", "joined", 130, 140))
    assert [(status.state, status.ended_ns) for status in published] == [("down", 130)]


def test_while_it_lasts_it_is_extended() -> None:
    published: list[FeedStatus] = []
    restart = DowntimeTracker({FEED: VALID}, published.append)
    restart.begin(100)
    restart.tick(100 + 4 * SECOND)
    restart.tick(100 + 6 * SECOND)
    restart.tick(100 + 7 * SECOND)
    assert [status.ended_ns for status in published] == [None, 100 + 6 * SECOND]


def test_the_last_sequence_of_a_channel_is_known_where_it_was_published() -> None:
    previous = {FEED: VALID, ("ETH-USDT", "book"): FeedStatus("binance", "ETH-USDT", "book", "gap", "lost", 5, 9)}
    restart = DowntimeTracker(previous, lambda status: None)
    assert (restart.last("book"), restart.last("trades")) == ({"BTC-USDT": 77}, {})


def test_a_gap_that_was_filled_since_is_not_the_last_word_on_a_feed() -> None:
    gap = FeedStatus("binance", *FEED, "gap", "trade_id_gap", 50, 50, 5, 6, 2)
    valid = FeedStatus("binance", *FEED, "valid", "resumed", 50, None, 7, 7)
    filled = FeedStatus("binance", *FEED, "gap", "trade_id_gap_filled", 50, 51, 5, 6, 0)
    heard = StatusHistory()
    for status in (gap, valid, filled):
        heard.note(status)
    messages = [Message("t", 0, n, 0, b"", encode(status)[1]) for n, status in enumerate((gap, valid, filled))]
    assert heard.until(100)[FEED] == newest_status(messages, "binance")[FEED] == valid


def test_what_reaches_into_the_time_that_a_broker_forgot_is_not_believed() -> None:
    heard = StatusHistory()
    for ended_ns, last in ((None, None), (100, 7), (200, 9)):
        heard.note(FeedStatus("binance", *FEED, "valid", "joined", 50, ended_ns, 1, last))
    assert heard.until(150)[FEED] == FeedStatus("binance", *FEED, "valid", "joined", 50, 100, 1, 7)


def test_of_a_feed_that_began_in_that_time_only_its_begin_is_believed() -> None:
    heard = StatusHistory()
    heard.note(FeedStatus("binance", *FEED, "valid", "joined", 50, 60, 4, 9))
    assert heard.until(40)[FEED] == FeedStatus("binance", *FEED, "valid", "joined", 50, None, 4, 4)


@pytest.mark.parametrize("venue", ["binance", "coinbase", "okx", "deribit", "kraken"])
async def test_trades_between_two_collectors_are_a_gap_that_is_filled(venue: str) -> None:
    topic = f"trades.{venue}"
    async with simulated(venues=(venue,), symbols=("BTC",)) as simulator:
        config = shard(simulator, venue)
        [symbol] = config.symbols
        async with collecting(config) as first:
            await first.until(lambda: len(first.rows(topic)) > 5)
            await first.ended()
        before = newest_status(first.bus.topics["md.feed.status"], venue)
        market = runner_of(simulator, venue, symbol).market
        lost = market.trade_id + 10
        await eventually(lambda: market.trade_id > lost)
        async with collecting(config, previous=before) as second:
            await second.until(lambda: second.statuses(channel="trades", cause="trade_id_gap_filled"))
            await second.ended()
        rows = first.rows(topic) + second.rows(topic)
        assert published(rows) == traded(simulator, venue, symbol, rows)
    assert len({row["id"] for row in rows}) == len(rows)
    gap = second.statuses(channel="trades", cause="trade_id_gap")[0]
    stopped = before[symbol, "trades"]
    assert (stopped.state, stopped.last_sequence) == ("down", gap["first_sequence"] - 1)


@pytest.mark.parametrize("venue", ["okx", "binance"])
async def test_trades_that_a_killed_collector_had_and_the_next_one_asks_for_again_count_once(venue: str) -> None:
    topic = f"trades.{venue}"
    async with simulated(venues=(venue,), symbols=("BTC",), rate=400.0) as simulator:
        config = shard(simulator, venue)
        [symbol] = config.symbols
        async with collecting(config) as first:
            await first.until(lambda: len(first.rows(topic)) > 40)
            await first.ended()
        ended = newest_status(first.bus.topics["md.feed.status"], venue)[symbol, "trades"]
        # Its last word was some seconds old: 30 of its trades are unknown to the next one.
        before = {(symbol, "trades"): replace(ended, last_sequence=(ended.last_sequence or 0) - 30)}
        async with collecting(config, previous=before) as second:
            await second.until(lambda: second.statuses(channel="trades", cause="trade_id_gap_filled"))
            await second.ended()
        rows = list({row["id"]: row for row in second.rows(topic) + first.rows(topic)}.values())
        rows.sort(key=lambda row: (row["ts"], int(row["id"])))
        assert published(rows) == traded(simulator, venue, symbol, rows)


async def test_a_collector_that_follows_one_of_higher_numbers_states_that_they_began_again() -> None:
    far = FeedStatus("binance", "BTC-USDT", "trades", "valid", "in_sequence", 5, 9, 1, 2**62)
    previous = {("BTC-USDT", "trades"): far}
    async with (
        simulated(venues=("binance",), symbols=("BTC",)) as simulator,
        collecting(shard(simulator), previous=previous) as collector,
    ):
        await collector.until(lambda: len(collector.rows("trades.binance")) > 5)
        await collector.ended()
    assert {status["cause"] for status in collector.statuses(channel="trades", state="gap")} == {"sequence_reset"}
