"""A channel that falls silent alone: asked for again with growing pauses, marked where that is in vain."""

import itertools

from mdplatform.core.clock import SECOND
from mdplatform.core.feed_status import FeedState
from mdplatform.venuekit.silence import FIRST_MESSAGE_NS, SilentChannels


def requests(silent: SilentChannels, feed: FeedState, from_s: int, until_s: int) -> list[int]:
    """The seconds at which the feed's channel is asked for again."""
    asked = []
    for second in range(from_s, until_s):
        feed.tick(second * SECOND)
        if silent.is_due(feed, second * SECOND):
            silent.asked(feed, second * SECOND)
            asked.append(second)
    return asked


def quotes(stale_after_s: int | None = 2) -> FeedState:
    feed = FeedState("venue", "BTC-USDT", "bbo", None if stale_after_s is None else stale_after_s * SECOND)
    feed.invalid("resync", "subscribing", SECOND)
    return feed


def proven(feed: FeedState, from_s: int, until_s: int) -> None:
    for second in range(from_s, until_s):
        feed.valid("received", None, second * SECOND)
        feed.proven(None, second * SECOND)


def test_a_feed_that_goes_on_is_not_asked_for() -> None:
    feed, silent = quotes(), SilentChannels()
    for second in range(1, 100):
        proven(feed, second, second + 1)
        assert not silent.is_due(feed, second * SECOND)


def test_a_stale_feed_is_asked_for_at_once_and_then_with_growing_pauses() -> None:
    feed, silent = quotes(), SilentChannels()
    proven(feed, 1, 60)
    asked = requests(silent, feed, 60, 3660)
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert pauses[:4] == [10, 20, 40, 80]
    assert len(asked) < 30


def test_a_channel_that_stays_silent_is_marked() -> None:
    feed, silent = quotes(), SilentChannels()
    proven(feed, 1, 60)
    requests(silent, feed, 60, 200)
    assert (feed.state, feed.cause) == ("down", "silent_channel")


def test_one_that_was_acknowledged_and_never_sent_is_asked_for_again_and_marked() -> None:
    feed, silent = quotes(None), SilentChannels()
    assert requests(silent, feed, 2, 2 + FIRST_MESSAGE_NS // SECOND + 11) == [31, 41]
    assert (feed.state, feed.cause) == ("down", "silent_channel")


def test_trades_that_nobody_makes_are_no_silence() -> None:
    feed, silent = FeedState("venue", "BTC-USDT", "trades"), SilentChannels()
    feed.invalid("resync", "subscribing", SECOND)
    assert requests(silent, feed, 2, 600) == []


def test_one_that_falls_silent_again_and_again_does_not_begin_with_short_pauses() -> None:
    feed, silent = quotes(), SilentChannels()
    proven(feed, 1, 60)
    asked = []
    for start in range(60, 3660, 50):
        asked += requests(silent, feed, start, start + 45)
        proven(feed, start + 45, start + 50)
    assert len(asked) < 60


def test_a_feed_that_was_well_for_a_minute_is_asked_for_at_once() -> None:
    feed, silent = quotes(), SilentChannels()
    proven(feed, 1, 60)
    requests(silent, feed, 60, 200)
    for second in range(200, 270):
        proven(feed, second, second + 1)
        silent.is_due(feed, second * SECOND)
    first = requests(silent, feed, 270, 330)[:2]
    assert first[0] < 305
    assert first[1] - first[0] == 10
