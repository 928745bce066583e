"""MDPLATFORM_INGEST names what is collected, and each mistake in it is reported in one line."""

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.core.shards import Shard, parse

VENUES = ("binance", "coinbase")


def test_each_part_is_a_shard() -> None:
    assert parse("binance:BTC-USDT,ETH-USDT; coinbase:BTC-USD:level2_batch,matches;", VENUES) == (
        Shard("binance", ("BTC-USDT", "ETH-USDT")),
        Shard("coinbase", ("BTC-USD",), ("level2_batch", "matches")),
    )


def test_nothing_set_is_nothing_wanted() -> None:
    assert parse("", VENUES) == ()


def test_a_shard_reads_back_as_it_is_written() -> None:
    shard = Shard("coinbase", ("BTC-USD", "ETH-USD"), ("matches",))
    assert parse(str(shard), VENUES) == (shard,)


def test_other_symbols_are_another_shard() -> None:
    assert Shard("binance", ("BTC-USDT",)).key != Shard("binance", ("BTC-USDT", "ETH-USDT")).key


def test_one_venue_may_have_shards_of_different_channels() -> None:
    assert len(parse("binance:BTC-USDT:trade;binance:BTC-USDT:depth@100ms", VENUES)) == 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("binance", "must read venue:SYMBOL"),
        ("binance:", "must read venue:SYMBOL"),
        (":BTC-USDT", "must read venue:SYMBOL"),
        ("binance:BTC-USDT,,ETH-USDT", "must read venue:SYMBOL"),
        ("binance:BTC-USDT:trade:more", "must read venue:SYMBOL"),
        ("binanse:BTC-USDT", "unknown venue 'binanse'.* there are binance, coinbase"),
        ("binance:BTC-USDT,BTC-USDT", "names something twice"),
        ("binance:BTC-USDT;binance:ETH-USDT,BTC-USDT", "same feed twice"),
        ("binance:BTC-USDT;binance:BTC-USDT:trade", "same feed twice"),
    ],
)
def test_a_mistake_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        parse(text, VENUES)


def test_a_feed_may_be_collected_twice_on_purpose() -> None:
    twins = parse("binance:BTC-USDT;coinbase:BTC-USD", VENUES, collectors=2)
    assert [(shard.venue, shard.collector) for shard in twins] == [
        ("binance", "A"),
        ("binance", "B"),
        ("coinbase", "A"),
        ("coinbase", "B"),
    ]
    assert len({shard.key for shard in twins}) == 4


def test_a_feed_is_not_collected_without_end() -> None:
    with pytest.raises(ConfigError, match="MDPLATFORM_COLLECTORS must be 1 to 4, not 9"):
        parse("binance:BTC-USDT", VENUES, collectors=9)
