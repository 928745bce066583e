"""Two collectors of one feed: what one misses the other has, and downstream nothing is there twice."""

from itertools import pairwise

import pytest

from mdplatform_tests.collector.rig import Row, Running, collecting, order, shard, simulated
from mdplatform_tests.collector.volumes import published, traded
from mdplatform_tests.eventually import eventually


def chained(*collectors: Running) -> list[Row]:
    """The books of all, one an update as the tables keep them, in order; a chain's start gives way to a link."""
    by_sequence: dict[int, Row] = {}
    for book in (book for collector in collectors for book in collector.books()):
        kept = by_sequence.get(book["sequence"])
        if kept is None or kept["previous_sequence"] is None:
            by_sequence[book["sequence"]] = book
    return [by_sequence[sequence] for sequence in sorted(by_sequence)]


async def test_a_cut_of_one_is_no_gap_for_both() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as first:
        await first.until_valid()
        async with collecting(shard(simulator, collector="B")) as second:
            await second.until_valid()
            ours, _ = sorted(simulator.world.exchanges["binance"].peers, key=lambda peer: peer.number)
            ours.link.cut()
            await first.until_valid(times=2)
            resumed = len(first.books())
            await first.until(lambda: len(first.books()) > resumed + 5 and len(second.books()) > resumed + 5)
            await second.ended()
        await first.ended()
    books = chained(first, second)
    links = [(book["previous_sequence"], before["sequence"]) for before, book in pairwise(books)]
    assert [link for link in links if link[0] not in (None, link[1])] == []
    assert sum(previous is None for previous, _ in links) == 0


async def test_trades_of_both_are_the_same_trades() -> None:
    async with simulated() as simulator, collecting(shard(simulator)) as first:
        async with collecting(shard(simulator, collector="B")) as second:
            await first.until(lambda: len(first.rows("trades.binance")) > 20)
            await second.until(lambda: len(second.rows("trades.binance")) > 20)
            await second.ended()
        await first.ended()
    of_first, of_second = ({row["id"]: row["price"] for row in c.rows("trades.binance")} for c in (first, second))
    common = of_first.keys() & of_second.keys()
    assert common
    assert {trade: of_first[trade] for trade in common} == {trade: of_second[trade] for trade in common}


@pytest.mark.parametrize("venue", ["binance", "binance-usdm", "okx"])
async def test_what_one_of_two_missed_and_has_by_rest_counts_once(venue: str) -> None:
    topic = f"trades.{venue}"
    async with (
        simulated(venues=(venue,), symbols=("BTC",)) as simulator,
        collecting(shard(simulator, venue)) as first,
        collecting(shard(simulator, venue, collector="B")) as second,
    ):
        [symbol] = shard(simulator, venue).symbols
        await first.until(lambda: len(first.rows(topic)) > 5 and len(second.rows(topic)) > 5)
        last = max(simulator.world.exchanges[venue].peers, key=lambda peer: peer.number)
        last.link.cut()
        order(simulator, f"jump BTC 0.02% venue={venue}")  # so that there are trades at once that it does not receive
        await eventually(lambda: any(c.statuses(channel="trades", state="down") for c in (first, second)))
        await eventually(lambda: any(c.statuses(cause="trade_id_gap_filled") for c in (first, second)))
        had = len(first.rows(topic)), len(second.rows(topic))
        await first.until(lambda: len(first.rows(topic)) > had[0] + 3)
        await second.until(lambda: len(second.rows(topic)) > had[1] + 3)
        await second.ended()
        await first.ended()
        rows = list({row["id"]: row for row in second.rows(topic) + first.rows(topic)}.values())
        rows.sort(key=lambda row: (row["ts"], int(row["id"])))
        assert published(rows) == traded(simulator, venue, symbol, rows)


async def test_each_says_which_one_it_is() -> None:
    async with simulated() as simulator, collecting(shard(simulator, collector="B")) as second:
        await second.until_valid()
        await second.ended()
    assert {status["collector"] for status in second.statuses()} == {"B"}


async def test_a_renewed_connection_is_counted() -> None:
    async with simulated(lifetime_s=3.0, notice_s=2.0) as simulator, collecting(shard(simulator)) as collector:
        await collector.until(lambda: any(row["renewals"] for row in collector.rows("md.feed.stats")), seconds=30)
        await collector.ended()
    assert not collector.statuses(channel="book", state="gap")
    books = chained(collector)
    assert [b for a, b in pairwise(books) if b["previous_sequence"] not in (None, a["sequence"])] == []
