"""Trades over a gap: what is asked for, when, and what is said once they are there."""

from collections import Counter

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus, Trade
from mdplatform.core.session import Channel, Fetch, Output, Request
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.market import Market
from mdplatform.venuekit.trade_ids import Missing

SPOT = Instrument(exchange="x", venue_symbol="BTCUSDT", base="BTC", quote="USDT")
CHANNELS = (Channel("trade", "trades", ""),)


def asking(missing: Missing | None) -> Request:
    return Request("/latest" if missing is None else f"/trades?fromId={missing.first}", purpose="trades")


def market(*, sequential_ids: bool) -> Market:
    made = Market(SPOT, CHANNELS, sequential_ids=sequential_ids)
    for known in [known for known in TRADED if known[0] == id(made)]:
        del TRADED[known]
    made.backfill_trades_by(asking)
    made.connected(SECOND)
    made.acknowledged("trades", SECOND)
    return made


TRADED: dict[tuple[int, int], int] = {}  # venue time in s of what the socket brought, by market and number


def live(made: Market, number: int, at: int) -> list[Output]:
    TRADED[id(made), number] = at
    return made.trade(str(number), "100", "1", "buy", at * SECOND, at * SECOND)


def by_rest(made: Market, *numbers: int, venue_s: int = 2, at: int = 9) -> list[Output]:
    """The answer with these trades, handed in as a session does."""
    assert made.backfill is not None
    times = [(n, TRADED.get((id(made), n), venue_s) * SECOND) for n in numbers]
    out = [o for n, ns in times for o in made.trade(str(n), "100", "1", "buy", ns, at * SECOND, "rest")]
    return [*out, *made.backfill.answered(any(isinstance(o, Trade) for o in out), at * SECOND)]


def asked(made: Market, *times: float) -> list[str]:
    return [o.request.path for at in times for o in made.tick(round(at * SECOND)) if isinstance(o, Fetch)]


def gap(made: Market) -> Market:
    live(made, 5, 2)
    live(made, 9, 3)
    return made


def test_missing_trades_are_asked_for_after_a_moment() -> None:
    assert asked(gap(market(sequential_ids=True)), 3, 3.5, 4, 4.2) == ["/trades?fromId=6"]


def test_missing_trades_come_marked_and_close_their_gap() -> None:
    made = gap(market(sequential_ids=True))
    out = by_rest(made, 4, 5, 6, 7, 8, 9, 10)
    assert [(o.id, o.provenance) for o in out if isinstance(o, Trade)] == [("6", "rest"), ("7", "rest"), ("8", "rest")]
    assert [(o.cause, o.missed) for o in out if isinstance(o, FeedStatus)] == [("trade_id_gap_filled", 0)]


def test_a_filled_gap_replaces_what_was_said_of_it() -> None:
    made = market(sequential_ids=True)
    live(made, 5, 2)
    [said] = [o for o in live(made, 7, 3) if isinstance(o, FeedStatus) and o.state == "gap"]
    [filled] = [o for o in by_rest(made, 6) if isinstance(o, FeedStatus)]
    assert said.ended_ns is not None
    assert (filled.started_ns, filled.state, filled.ended_ns) == (said.started_ns, "gap", said.ended_ns + 1)


def test_what_a_page_did_not_hold_is_asked_for_next() -> None:
    made = gap(market(sequential_ids=True))
    assert asked(made, 3, 4) == ["/trades?fromId=6"]
    by_rest(made, 6, at=5)
    assert asked(made, 5.2) == ["/trades?fromId=7"]


def test_what_the_venue_does_not_have_is_not_asked_for_for_ever() -> None:
    made = gap(market(sequential_ids=True))
    requests = 0
    for at in range(3, 300):
        if asked(made, at) and made.backfill is not None:
            requests += 1
            made.backfill.failed(at * SECOND)
    assert requests == 6


def test_a_first_connection_misses_nothing() -> None:
    assert asked(market(sequential_ids=False), 3, 5) == []


def test_after_a_break_the_latest_trades_are_asked_for_once_the_feed_is_back() -> None:
    made = market(sequential_ids=False)
    live(made, 500, 2)
    made.closed("1006", 3 * SECOND)
    made.connected(4 * SECOND)
    assert asked(made, 4, 6) == []
    made.acknowledged("trades", 6 * SECOND)
    assert asked(made, 6.2, 6.4) == ["/latest"]


def broken() -> Market:
    """Trade 500 at 2 s, no connection from 3 s to 4 s."""
    made = market(sequential_ids=False)
    live(made, 500, 2)
    made.closed("1006", 3 * SECOND)
    made.connected(4 * SECOND)
    made.acknowledged("trades", 4 * SECOND)
    return made


def test_a_list_from_before_the_break_to_the_first_trade_since_closes_the_interval() -> None:
    made = broken()
    live(made, 800, 5)
    out = by_rest(made, 500, 731, 800)
    assert [(o.state, o.cause) for o in out if isinstance(o, FeedStatus)] == [
        ("down", "1006_filled"),
        ("resync", "subscribing_filled"),
    ]
    assert [(o.id, o.provenance) for o in out if isinstance(o, Trade)] == [("731", "rest")]


def test_a_list_that_may_have_been_too_early_closes_nothing_until_a_trade_came_and_is_listed() -> None:
    made = broken()
    assert asked(made, 4) == ["/latest"]
    assert [type(o) for o in by_rest(made, 500, 731, at=5)] == [Trade]
    assert asked(made, 6, 20) == []
    live(made, 800, 21)
    assert asked(made, 22) == ["/latest"]
    assert by_rest(made, 500, 731, at=22) == []
    assert asked(made, 22.2, 24) == ["/latest"]
    assert sum(isinstance(o, FeedStatus) for o in by_rest(made, 500, 731, 800, at=24)) == 2
    assert asked(made, 25, 60) == []


def break_again(made: Market, at: int) -> None:
    made.closed("1006", at * SECOND)
    made.connected(at * SECOND)
    made.acknowledged("trades", at * SECOND)


def test_what_is_listed_after_a_known_trade_is_missing_whatever_its_time() -> None:
    made = market(sequential_ids=False)
    live(made, 500, 2)
    live(made, 499, 1)
    break_again(made, 4)
    assert made.backfill is not None
    rows = [(499, 1), (501, 1), (500, 2), (502, 2)]
    out = [o for n, at in rows for o in made.trade(str(n), "1", "1", "buy", at * SECOND, 9 * SECOND, "rest")]
    assert [o.id for o in out if isinstance(o, Trade)] == ["501", "502"]


def test_two_breaks_are_made_good_by_one_answer_only_if_it_reaches_the_first() -> None:
    made = broken()
    live(made, 800, 5)
    break_again(made, 6)
    live(made, 900, 7)
    out = by_rest(made, 800, 900, venue_s=5)
    assert [o for o in out if isinstance(o, FeedStatus)] == []


def test_a_second_break_does_not_hide_what_the_first_one_cost() -> None:
    made = broken()
    live(made, 800, 5)
    break_again(made, 6)
    live(made, 900, 7)
    out = by_rest(made, 500, 731, 800, 900)
    assert [o.id for o in out if isinstance(o, Trade)] == ["731"]
    assert sum(isinstance(o, FeedStatus) for o in out) == 4


def test_an_answer_may_be_from_before_a_break_that_came_while_it_was_under_way() -> None:
    made = broken()
    live(made, 800, 5)
    assert asked(made, 5) == ["/latest"]
    made.broke_trades()
    assert [type(o) for o in by_rest(made, 500, 731, 800)] == [Trade]
    live(made, 900, 10)
    assert asked(made, 10) == ["/latest"]
    assert sum(isinstance(o, FeedStatus) for o in by_rest(made, 500, 731, 800, 900)) == 2


def test_the_same_trade_by_the_socket_and_by_rest_is_one() -> None:
    made = broken()
    live(made, 800, 5)
    assert [o.id for o in by_rest(made, 500, 731, 800) if isinstance(o, Trade)] == ["731"]
    assert made.trade("731", "100", "1", "buy", 2 * SECOND, 7 * SECOND) == []


def test_latest_trades_that_cannot_be_had_are_given_up_and_stay_missing() -> None:
    made = broken()
    requests = 0
    for at in range(5, 300):
        if asked(made, at) and made.backfill is not None:
            requests += 1
            made.backfill.failed(at * SECOND)
    assert requests == 6
    live(made, 800, 300)
    assert [o for o in by_rest(made, 500, 800) if isinstance(o, FeedStatus)] == []


def test_an_answer_that_does_not_reach_back_proves_nothing() -> None:
    made = broken()
    live(made, 800, 5)
    assert [type(o) for o in by_rest(made, 731, 800, venue_s=3)] == [Trade]
    assert asked(made, 10, 60) == []


def test_trades_from_before_the_collector_began_are_not_taken() -> None:
    assert by_rest(broken(), 1, venue_s=1) == []


def bounded(missing: Missing | None) -> Request:
    assert missing is not None
    return Request(f"{missing.first}-{missing.last}", purpose="trades")


class Listed:
    """A venue that lists these trades by REST, as many as are missing; ``asked``: requests by the first id."""

    def __init__(self, made: Market, *ids: int, page: int = 1000) -> None:
        made.backfill_trades_by(bounded)
        self.made, self.ids, self.page = made, ids, page
        self.asked: Counter[int] = Counter()
        self.said: list[Output] = []

    def spend(self, start_s: float, end_s: float) -> None:
        """Time passes; every request is answered at once."""
        for tenth in range(round(start_s * 10), round(end_s * 10)):
            for fetch in self.made.tick(tenth * SECOND // 10):
                if isinstance(fetch, Fetch):
                    first, last = map(int, fetch.request.path.split("-"))
                    self.asked[first] += 1
                    page = [n for n in self.ids if n >= first][: min(self.page, last - first + 1)]
                    self.said += by_rest(self.made, *page, venue_s=round(start_s), at=tenth // 10)

    def brought(self) -> list[int]:
        return [int(o.id) for o in self.said if isinstance(o, Trade)]


def holes(*live_ids: int) -> Market:
    made = market(sequential_ids=True)
    for number in live_ids:
        live(made, number, 2)
    return made


def test_a_gap_that_cannot_be_filled_holds_up_no_other() -> None:
    made = holes(*(n for n in range(1, 42) if n not in (11, 21) and not 31 <= n <= 40))
    venue = Listed(made, *(n for n in range(1, 42) if n not in (11, 21)))
    venue.spend(2, 3600)
    assert venue.brought() == list(range(31, 41))
    assert venue.asked == {11: 6, 21: 6, 31: 1}


def test_a_gap_that_opens_after_many_that_cannot_be_filled_is_filled_within_seconds() -> None:
    made = holes(*range(1, 100, 2))
    venue = Listed(made, *range(1, 100, 2), 104, 105)
    venue.spend(2, 60)
    live(made, 106, 60)
    venue.spend(60, 64)
    assert {104, 105} <= set(venue.brought())


def test_requests_of_an_hour_are_bounded_whatever_is_missing() -> None:
    made = market(sequential_ids=True)
    venue = Listed(made)
    for second in range(2, 3602):
        live(made, 2 * second, second)  # every other number was never a trade
        venue.spend(second, second + 1)
    assert sum(venue.asked.values()) <= 1800
    assert max(venue.asked.values()) <= 6


def test_what_a_partial_answer_leaves_is_what_the_interval_says_is_missing() -> None:
    made = holes(99, 452)
    lost = [100, 250, 451]
    venue = Listed(made, *(n for n in range(99, 453) if n not in lost))
    venue.spend(2, 300)
    [first, *later] = [o for o in venue.said if isinstance(o, FeedStatus)]
    assert (first.state, first.cause, first.missed, first.first_sequence) == ("gap", "trade_id_gap", 3, 100)
    assert later == []


def test_where_a_venue_lists_its_latest_only_one_request_is_about_all_gaps() -> None:
    made = holes(*range(1, 200, 2))
    made.backfill_trades_by(lambda missing: Request("/latest", purpose="trades"))
    requests = 0
    for second in range(2, 600):
        for _ in asked(made, second):
            requests += 1
            by_rest(made, *range(1, 200, 2), at=second)
    assert requests == 6


def test_each_statement_of_a_gap_replaces_the_one_before() -> None:
    made = holes(99, 110)
    ends = []
    for numbers in ((100,), (101, 102), range(103, 110)):
        ends += [(o.ended_ns, o.missed) for o in by_rest(made, *numbers) if isinstance(o, FeedStatus)]
    assert [missed for _, missed in ends] == [9, 7, 0]
    assert ends == sorted(ends)


def test_pages_of_a_long_gap_are_asked_for_one_after_the_other_without_a_pause() -> None:
    made = holes(1, 5002)
    venue = Listed(made, *range(1, 5003))
    venue.spend(2, 6)
    assert len(venue.brought()) == 5000
    assert sum(venue.asked.values()) == 5


def test_after_a_reset_nothing_of_the_old_numbers_is_asked_for() -> None:
    made = gap(market(sequential_ids=True))
    live(made, 1, 10)
    assert asked(made, 11, 12, 60) == []


def test_a_listed_trade_of_the_old_numbers_is_not_taken_for_one_that_is_missing() -> None:
    made = holes(500, 501)
    live(made, 1, 10)
    live(made, 4, 11)
    assert by_rest(made, 2, 3, venue_s=1) == []
    assert [o.id for o in by_rest(made, 2, 3, venue_s=10) if isinstance(o, Trade)] == ["2", "3"]
