import asyncio
import json

import pytest

from mdplatform.bus.memory import MemoryBus
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import FeedStats, FeedStatus
from mdplatform.venues.binance.spot import Binance
from mdplatform_tests.collector.rig import broken_links, collecting, order, shard, simulated

SECOND = 1_000_000_000


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_books_and_trades_flow_and_are_proven(venue: str) -> None:
    async with simulated() as simulator, collecting(shard(simulator, venue)) as collector:
        await collector.until_valid("book")
        await collector.until_valid("trades")
        await collector.until(lambda: len(collector.books(venue)) > 20 and len(collector.rows(f"trades.{venue}")) > 5)
        assert not broken_links(collector.books(venue))


async def test_everything_accepted_is_acknowledged_at_the_end() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as collector:
        await collector.until_valid()
        report = await collector.ended()
    assert report.accepted == report.acknowledged == sum(len(log) for log in collector.bus.topics.values())
    assert (report.failed, report.left) == (0, 0)


async def test_a_stop_ends_every_interval() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as collector:
        await collector.until_valid("book")
        await collector.until_valid("trades")
        await collector.ended()
    for channel in ("book", "trades"):
        *_, valid, down = collector.statuses(channel=channel)
        assert (valid["state"], down["state"], down["cause"]) == ("valid", "down", "stopped")
        assert valid["ended_ns"] == down["started_ns"]


async def test_a_cut_connection_comes_back() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as collector:
        await collector.until_valid()
        order(simulator, "cut venue=binance")
        await collector.until_valid(times=2)
        assert (await collector.ended()).reconnects == 1
    down = collector.statuses(channel="book", state="down", cause="cut")
    assert down[-1]["ended_ns"] > down[0]["started_ns"]


async def test_a_refused_connection_is_tried_again() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as collector:
        await collector.until_valid()
        order(simulator, "refuse venue=binance for=0.5")
        order(simulator, "cut venue=binance")
        await collector.until_valid(times=2)


async def test_a_half_open_connection_is_replaced() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as collector:
        await collector.until_valid()
        order(simulator, "half-open venue=binance")
        await collector.until_valid(times=2)
    assert collector.statuses(channel="book", state="down", cause="half_open")


async def test_lost_frames_are_a_gap_and_a_resync_on_the_same_connection() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as collector:
        await collector.until_valid()
        order(simulator, "drop venue=binance channel=depth count=2")
        await collector.until_valid(times=2)
        report = await collector.ended()
    assert (report.gaps, report.reconnects) == (1, 0)
    assert not broken_links(collector.books())


async def test_a_stalled_book_is_stale_until_it_goes_on() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as collector:
        await collector.until(lambda: len(collector.books()) > 40)  # until then the feed has no rhythm to fall out of
        order(simulator, "stall venue=binance channel=depth for=7")
        await collector.until(lambda: collector.statuses(channel="book", state="stale"))
        await collector.until_valid(times=2)
        report = await collector.ended()
    assert (report.gaps, report.reconnects) == (0, 0)


async def test_a_garbled_frame_is_kept_as_a_dead_letter() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as collector:
        await collector.until_valid()
        order(simulator, "garbage venue=binance count=1 kind=binary")
        await collector.until(lambda: collector.rows("md.dead_letter"))
        assert (await collector.ended()).dead_letters >= 1
    letter = collector.rows("md.dead_letter")[0]
    assert letter["frame"]
    assert letter["conn"].endswith("#1")


async def test_a_snapshot_refused_with_429_is_fetched_later() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as collector:
        await collector.until_valid()
        order(simulator, "429 venue=binance retry=1")
        order(simulator, "drop venue=binance channel=depth count=1")
        await collector.until_valid(times=2)
    gap = collector.statuses(channel="book", state="gap")
    assert gap[-1]["ended_ns"] - gap[0]["started_ns"] > 0.9 * SECOND


async def test_a_full_bus_stops_the_reading_and_nothing_is_lost() -> None:
    bus = MemoryBus(bound=300)
    async with simulated(rate=2000.0) as simulator, collecting(shard(simulator), bus) as collector:
        await collector.until_valid()
        bus.answering = False
        await collector.until(lambda: not bus.has_room)
        held = bus.queue
        await asyncio.sleep(1.0)  # not a wait for something: nothing may happen in it but the collector's own words
        assert bus.queue - held < 20
        bus.answering = True
        before = len(collector.books())
        await collector.until(lambda: len(collector.books()) > before + 30)
        report = await collector.ended()
    assert (report.gaps, report.reconnects) == (0, 0)
    assert not broken_links(collector.books())
    ids = [int(trade["id"]) for trade in collector.rows("trades.binance")]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert collector.rows("md.feed.stats")[-1]["paused_ms"] >= 900


async def test_a_renewal_loses_nothing_and_is_never_down() -> None:
    class ShortLived(Binance):
        lifetime_s = 3.0

    async with simulated(rate=1000.0) as simulator, collecting(shard(simulator), venue=ShortLived()) as collector:
        await collector.until_valid()
        await collector.until(lambda: len(simulator.world.exchanges["binance"].peers) == 2)
        await collector.until(lambda: len(simulator.world.exchanges["binance"].peers) == 1)
        before = len(collector.books())
        await collector.until(lambda: len(collector.books()) > before + 10)
        report = await collector.ended()
    assert not broken_links(collector.books())
    ids = {int(trade["id"]) for trade in collector.rows("trades.binance")}
    assert len(ids) == max(ids) - min(ids) + 1
    assert report.reconnects == 0
    assert {row["cause"] for row in collector.statuses(state="down")} == {"stopped"}


async def test_what_a_line_leaves_out_by_design_is_counted_by_kind_over_its_renewals() -> None:
    class ShortLived(Binance):
        lifetime_s = 3.0

    async with simulated() as simulator, collecting(shard(simulator), venue=ShortLived()) as collector:
        await collector.until_valid()
        await collector.until(lambda: collector.rows("md.feed.stats"))
        first = collector.rows("md.feed.stats")[-1]["ignored"].get("acknowledgement", 0)
        await collector.until(lambda: collector.rows("md.feed.stats")[-1]["renewals"])
        assert collector.rows("md.feed.stats")[-1]["ignored"]["acknowledgement"] > first


async def test_the_intervals_of_a_renewal_do_not_overlap() -> None:
    class ShortLived(Binance):
        lifetime_s = 3.0

    async with simulated() as simulator, collecting(shard(simulator), venue=ShortLived()) as collector:
        await collector.until_valid(times=2)
        await collector.ended()
    ends: dict[int, int] = {}
    for row in collector.statuses(channel="book", state="valid"):
        ends[row["started_ns"]] = max(ends.get(row["started_ns"], 0), row["ended_ns"] or 0)
    (_, first_end), (second_start, _), *_ = sorted(ends.items())
    assert first_end == second_start


async def test_a_venue_that_announces_its_shutdown_is_left_in_time() -> None:
    async with (
        simulated(lifetime_s=5.0, notice_s=3.0) as simulator,
        collecting(shard(simulator)) as collector,
    ):
        await collector.until_valid(times=2)
        assert (await collector.ended()).reconnects == 0


async def test_a_symbol_that_the_venue_does_not_list_is_named_to_who_asked_for_it() -> None:
    async with (
        simulated() as simulator,
        collecting(shard(simulator, symbols=("BTC-USDT", "BTC-USDX"), strict=True)) as collector,
    ):
        with pytest.raises(ConfigError, match=r"does not list BTC-USDX \(near: BTC-USDT\); it does list BTC-USDT"):
            await collector.task


async def test_an_unreachable_list_is_asked_for_until_stopped(unused_tcp_port: int) -> None:
    async with simulated() as simulator:
        config = shard(simulator)
        config = type(config)(venue="binance", symbols=config.symbols, rest_url=f"http://127.0.0.1:{unused_tcp_port}")
        async with collecting(config) as collector:
            await asyncio.sleep(0)
            report = await collector.ended()
    assert report.frames == 0


async def test_the_time_since_the_last_collector_is_down_until_valid() -> None:
    last = FeedStatus("binance", "BTC-USDT", "book", "valid", "joined", 5 * SECOND, 9 * SECOND, 1, 77)
    async with (
        simulated() as simulator,
        collecting(shard(simulator), previous={("BTC-USDT", "book"): last}) as collector,
    ):
        await collector.until_valid()
        await collector.until(lambda: len(collector.statuses(cause="restart")) >= 2)
        opened, *_, closed = collector.statuses(cause="restart")
    assert (opened["state"], opened["started_ns"], opened["ended_ns"]) == ("down", 9 * SECOND, None)
    assert opened["last_sequence"] == 77
    assert closed["ended_ns"] == collector.statuses(channel="book", state="valid")[0]["started_ns"]


async def test_a_statistic_is_published_every_second_for_each_connection() -> None:
    told: list[FeedStats] = []
    async with simulated() as simulator, collecting(shard(simulator), on_stats=told.append) as collector:
        await collector.until(lambda: len(collector.rows("md.feed.stats")) >= 3)
        await collector.ended()
    rows = collector.rows("md.feed.stats")
    assert [row["frames"] for row in rows] == [stats.frames for stats in told]
    assert rows[-1]["frames"] > rows[0]["frames"]
    assert rows[-1]["symbols"] == 1
    assert any(row["latency_p50_ms"] is not None for row in rows)


async def test_raw_frames_are_kept_when_wanted() -> None:
    async with simulated() as simulator, collecting(shard(simulator, keep_raw=True)) as collector:
        await collector.until_valid()
        report = await collector.ended()
    raw = [json.loads(message.value) for message in collector.frames()]
    assert len(raw) == report.frames
    assert [row["seq"] for row in raw] == list(range(1, len(raw) + 1))


async def test_rest_answers_are_kept_among_the_raw_frames() -> None:
    async with simulated() as simulator, collecting(shard(simulator, keep_raw=True)) as collector:
        await collector.until_valid()
        await collector.ended()
    listed, snapshot = [json.loads(message.value)["frame"] for message in collector.frames(rest=True)]
    assert '"symbols"' in listed
    assert '"lastUpdateId"' in snapshot
    assert collector.rows("md.raw.binance")[0]["frame"] == listed
