"""A replay of what a collector kept, where the collector lacked a symbol, or a rule named one."""

import pytest

from mdplatform.core.codec import decode_raw
from mdplatform.core.events import Book, Event
from mdplatform.core.shards import Shard
from mdplatform.recordings import replay_topic
from mdplatform_tests.collector.rig import collecting, shard, simulated


@pytest.mark.parametrize(
    ("venue_id", "symbols"),
    [("binance", ("BTC-USDT", "GONE-USDT")), ("okx", ("BTC-USD@front",)), ("okx", ("BTC-USD@front", "BTC-USDT"))],
)
async def test_what_was_collected_beside_it_is_replayed(venue_id: str, symbols: tuple[str, ...]) -> None:
    async with (
        simulated(venues=(venue_id,), symbols=("BTC",)) as simulator,
        collecting(shard(simulator, venue_id, symbols=symbols, keep_raw=True)) as collector,
    ):
        collected = len(symbols) - ("GONE-USDT" in symbols)
        await collector.until(lambda: len({row["symbol"] for row in collector.books(venue_id)}) == collected)
        await collector.ended()
    raws = sorted(
        map(decode_raw, (m.value for m in collector.bus.topics[f"md.raw.{venue_id}"])), key=lambda raw: raw.received_ns
    )
    recording = replay_topic._Recording(venue_id, Shard(venue_id, symbols), 20)
    events: list[Event] = []
    for raw in raws:
        if raw.is_list:
            recording.lists.append(raw.frame)
        events += recording.take(raw)
    again = {event.sequence for event in events if isinstance(event, Book)}
    assert again >= {row["sequence"] for row in collector.books(venue_id)}
