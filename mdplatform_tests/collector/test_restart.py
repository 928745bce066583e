from mdplatform.collector.restart import Restart
from mdplatform.events import FeedStatus

SECOND = 1_000_000_000
FEED = ("BTC-USDT", "book")
VALID = FeedStatus("binance", *FEED, "valid", "joined", 5, 9, 1, 77)


def test_what_was_valid_is_down_since_it_is_known_to_have_been() -> None:
    told: list[FeedStatus] = []
    Restart({FEED: VALID}, told.append).begin(100)
    assert told == [FeedStatus("binance", *FEED, "down", "restart", 9, None, None, 77)]


def test_what_was_down_already_goes_on() -> None:
    told: list[FeedStatus] = []
    Restart({FEED: FeedStatus("binance", *FEED, "down", "stopped", 20, 25)}, told.append).begin(100)
    assert told == [FeedStatus("binance", *FEED, "down", "stopped", 20)]


def test_it_ends_where_the_feed_is_valid_again_and_once() -> None:
    told: list[FeedStatus] = []
    restart = Restart({FEED: VALID}, told.append)
    restart.seen(FeedStatus("binance", *FEED, "resync", "no_snapshot", 120))
    restart.seen(FeedStatus("binance", *FEED, "valid", "joined", 130))
    restart.seen(FeedStatus("binance", *FEED, "valid", "joined", 130, 140))
    assert [(status.state, status.ended_ns) for status in told] == [("down", 130)]


def test_while_it_lasts_it_is_extended() -> None:
    told: list[FeedStatus] = []
    restart = Restart({FEED: VALID}, told.append)
    restart.begin(100)
    restart.tick(100 + 4 * SECOND)
    restart.tick(100 + 6 * SECOND)
    restart.tick(100 + 7 * SECOND)
    assert [status.ended_ns for status in told] == [None, 100 + 6 * SECOND]
