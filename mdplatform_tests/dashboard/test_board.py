"""What the page keeps of the messages that it reads."""

from itertools import permutations

import pytest

from mdplatform.dashboard.board import REPLACEABLE_AFTER_MS, SIGNALS_KEPT, Board, Seen
from mdplatform.dashboard.feed import Feed, Since
from mdplatform.dashboard.health import Health, Reach
from mdplatform.dashboard.intervals import SILENT_AFTER_MS
from mdplatform.dashboard.stream import Sources, Stream
from mdplatform.dashboard.tape import PRINTS_KEPT
from mdplatform_tests.dashboard.wire import (
    BOOK,
    FUNDING,
    LIQUIDATION,
    OPEN_INTEREST,
    QUOTE,
    SIGNAL,
    STATUS,
    TRADE,
    book,
)

FEED = ("binance", "BTC-USDT")


def board_of(*messages: tuple[str, str], max_feeds: int = 10) -> Board:
    board = Board(max_feeds)
    for dataset, value in messages:
        board.take(dataset, value.encode(), 1000)
    return board


def row_of(board: Board, now_ms: int = 1000) -> dict[str, object]:
    rows, _ = board.changes({}, now_ms)
    return rows[0]


def test_prices_keep_the_venues_digits() -> None:
    row = row_of(board_of(("books", BOOK)))
    assert (row["bid"], row["ask"], row["bid_size"]) == ("60000.10", "60000.30", "1.50000000")


def test_a_small_size_is_written_without_exponent() -> None:
    detail = board_of(("books", BOOK)).detail(FEED, 1000)
    assert detail is not None
    assert detail["asks"][1] == ("60001", "0.00000001")


def test_mid_spread_and_imbalance_follow_from_the_best_levels() -> None:
    row = row_of(board_of(("books", BOOK)))
    assert (row["mid"], row["spread"], row["spread_bps"], row["imbalance"]) == ("60000.20", "0.20", "0.0333", "+0.50")


def test_a_book_with_one_side_shows_that_side() -> None:
    one_sided = BOOK.replace("[60000.30,60001]", "[]").replace("[0.5,0.00000001]", "[]")
    row = row_of(board_of(("books", one_sided)))
    assert row["bid"] == "60000.10"
    assert "mid" not in row


def test_a_feed_without_status_is_unknown() -> None:
    assert row_of(board_of(("books", BOOK)))["state"] == "unknown"


def test_a_feed_shows_its_newest_interval() -> None:
    gap = STATUS.replace('"valid"', '"gap"').replace("1700000000000000000", "1700000000000000001")
    assert row_of(board_of(("status", gap), ("status", STATUS)))["state"] == "gap"


def test_a_feed_whose_collector_says_nothing_more_is_silent() -> None:
    board = board_of(("status", STATUS))
    assert row_of(board, 1000 + SILENT_AFTER_MS)["state"] == "valid"
    assert row_of(board, 1001 + SILENT_AFTER_MS)["state"] == "silent"


def test_a_channel_on_which_nothing_happened_yet_is_not_silent_while_its_collector_speaks() -> None:
    board = board_of(("status", STATUS))
    begin = "1700000000000000000"
    again = STATUS.replace('"ended_ns":null', f'"ended_ns":{begin}')
    assert again != STATUS
    board.take("status", again.encode(), 1000 + SILENT_AFTER_MS)
    assert row_of(board, 1001 + SILENT_AFTER_MS)["state"] == "valid"


def test_a_browser_learns_when_a_feed_falls_silent() -> None:
    board = board_of(("status", STATUS))
    seen: Seen = {}
    board.changes(seen, 1000)
    assert board.changes(seen, 2000) == ([], [])
    assert [row["state"] for row in board.changes(seen, 1001 + SILENT_AFTER_MS)[0]] == ["silent"]


def test_a_trade_that_comes_twice_is_shown_once() -> None:
    detail = board_of(("trades", TRADE), ("trades", TRADE)).detail(FEED, 1000)
    assert detail is not None
    assert [entry["price"] for entry in detail["prints"]] == ["60000.20"]


def test_what_is_not_a_message_of_its_topic_is_counted() -> None:
    board = board_of(("books", "no json"), ("books", "{}"), ("trades", BOOK), ("status", ""), ("books", "[]"))
    assert (board.messages, board.refused, len(board)) == (5, 5, 0)


def test_a_malformed_book_is_counted_and_the_last_good_one_stays() -> None:
    board = board_of(("books", BOOK), ("books", BOOK.replace("[60000.10,60000.00]", '["x",1]')))
    assert row_of(board)["bid"] == "60000.10"
    assert board.refused == 1


def test_a_feed_beyond_the_bound_is_left_out_and_counted() -> None:
    board = board_of(*3 * [("books", BOOK)], ("books", BOOK.replace("BTC-USDT", "ETH-USDT")), max_feeds=1)
    assert (len(board), board.left_out) == (1, 1)


def test_a_feed_without_messages_makes_room_for_a_new_one() -> None:
    board = board_of(*3 * [("books", BOOK)], max_feeds=1)
    seen: Seen = {}
    board.changes(seen, 1000)
    board.take("books", BOOK.replace("BTC-USDT", "ETH-USDT").encode(), 1000 + REPLACEABLE_AFTER_MS)
    rows, gone = board.changes(seen, 1000 + REPLACEABLE_AFTER_MS)
    assert ([row["symbol"] for row in rows], gone) == (["ETH-USDT"], [FEED])


def test_a_trade_and_a_liquidation_of_one_id_are_two_rows() -> None:
    detail = board_of(("trades", TRADE), ("liquidations", LIQUIDATION)).detail(FEED, 1000)
    assert detail is not None
    assert [(entry["kind"], entry["id"]) for entry in detail["prints"]] == [("trade", "7"), ("liquidation", "7")]


def test_trades_do_not_push_a_liquidation_out() -> None:
    trades = [("trades", TRADE.replace('"7"', f'"{n}"')) for n in range(2 * PRINTS_KEPT)]
    detail = board_of(("liquidations", LIQUIDATION), *trades).detail(FEED, 1000)
    assert detail is not None
    assert [entry["kind"] for entry in detail["prints"]] == ["liquidation", *["trade"] * PRINTS_KEPT]


def test_only_trades_that_came_since_are_sent() -> None:
    board = board_of(("trades", TRADE), ("trades", TRADE.replace('"7"', '"8"')))
    detail = board.detail(FEED, 1000, Since(prints=1))
    assert detail is not None
    assert [entry["id"] for entry in detail["prints"]] == ["8"]


def test_what_a_venue_leaves_out_of_its_funding_stays_as_it_was() -> None:
    later = FUNDING.replace('"rate":0.0001', '"rate":null').replace("60010.5", "60011.0")
    detail = board_of(("funding", FUNDING), ("funding", later)).detail(FEED, 1000)
    assert detail is not None
    assert (detail["funding"]["rate"], detail["funding"]["mark_price"]) == ("0.0001", "60011.0")


def test_quotes_are_shown_where_there_is_no_book() -> None:
    assert row_of(board_of(("quotes", QUOTE)))["bid"] == "60000.15"
    assert row_of(board_of(("quotes", QUOTE), ("books", BOOK)))["bid"] == "60000.10"


def test_a_book_that_another_collector_repeats_does_not_go_back() -> None:
    board = board_of(("books", book(2, 1, bid="60000.20")), ("books", book(1, 0)))
    assert row_of(board)["bid"] == "60000.20"


def test_a_book_that_starts_a_chain_is_taken_whatever_its_number() -> None:
    board = board_of(("books", book(2, 1)), ("books", book(1, None, bid="60000.20")))
    assert row_of(board)["bid"] == "60000.20"


def test_a_feed_is_valid_where_one_of_its_collectors_has_it_so() -> None:
    gap = STATUS.replace('"valid"', '"gap"').replace('"missed":null', '"missed":null,"collector":"B"')
    assert row_of(board_of(("status", STATUS), ("status", gap)))["state"] == "valid"


def test_a_gap_is_a_break_until_its_end() -> None:
    gap = STATUS.replace('"valid"', '"gap"')
    ended = gap.replace('"ended_ns":null', '"ended_ns":1700000005000000000')
    detail = board_of(("status", gap), ("status", ended)).detail(FEED, 1000)
    assert detail is not None
    assert detail["breaks"] == [(1700000000000, 1700000005000, "gap", "snapshot", "A")]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_intervals_are_the_same_in_whatever_order_their_words_arrive(order: tuple[int, ...]) -> None:
    begin = STATUS.replace('"valid"', '"down"')
    replaced = STATUS.replace("1700000000000000000", "1700000009000000000")
    extended = begin.replace('"ended_ns":null', '"ended_ns":1700000004000000000')
    words = [begin, extended, begin.replace('"ended_ns":null', '"ended_ns":1700000009000000000'), replaced]
    board = board_of(*(("status", words[place]) for place in order))
    detail = board.detail(FEED, 1000)
    assert detail is not None
    assert detail["breaks"] == [(1700000000000, 1700000009000, "down", "snapshot", "A")]
    assert row_of(board)["state"] == "valid"


def test_a_connections_messages_a_second_follow_from_its_counters() -> None:
    first = '{"exchange":"binance","conn":"binance-1","ts":1700000000000,"frames":12}'
    second = '{"exchange":"binance","conn":"binance-1","ts":1700000002000,"frames":52}'
    assert board_of(("stats", first), ("stats", second)).connections({})[0][0]["frames_s"] == 20


def test_a_restarted_collector_has_no_rate_yet() -> None:
    first = '{"exchange":"binance","conn":"binance-1","ts":1700000000000,"frames":12}'
    second = '{"exchange":"binance","conn":"binance-1","ts":1700000002000,"frames":2}'
    assert "frames_s" not in board_of(("stats", first), ("stats", second)).connections({})[0][0]


def test_open_interest_is_the_newest() -> None:
    older = OPEN_INTEREST.replace("1234.5", "7").replace('"ts":1700000000000', '"ts":1699999999999')
    detail = board_of(("open_interest", OPEN_INTEREST), ("open_interest", older)).detail(FEED, 1000)
    assert detail is not None
    assert detail["open_interest"] == "1234.5"


def test_the_price_of_the_last_trade_is_in_the_row() -> None:
    rows, _ = board_of(("books", BOOK), ("trades", TRADE)).changes({}, 1000)
    assert rows[0]["last"] == "60000.20"


def test_each_signal_is_sent_once_however_often_it_is_published() -> None:
    board = board_of(("signals", SIGNAL), ("signals", SIGNAL), ("signals", SIGNAL.replace(":7", ":8", 1)))
    found, count = board.signals(0)
    assert ([signal.id[-1] for signal in found], count, board.taken) == (["7", "8"], 2, 3)
    assert board.signals(count) == ([], 2)
    for number in range(100, 200):
        board.take("signals", SIGNAL.replace(":7", f":{number}", 1).encode(), 1000)
    found, count = board.signals(1)
    assert (len(found), count) == (SIGNALS_KEPT, 102)


def test_a_trade_repeated_long_after_it_left_the_tape_counts_once() -> None:
    trades = [("trades", TRADE.replace('"id":"7"', f'"id":"{number}"')) for number in range(PRINTS_KEPT * 3)]
    detail = board_of(*trades, trades[0]).detail(FEED, 1000)
    assert detail is not None
    assert (len(detail["prints"]), detail["print_count"], detail["bars"][0][5]) == (60, 180, pytest.approx(18))


def test_fifty_browsers_are_shown_what_was_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(Feed, "_row", lambda feed, now_ms: made.append("row") or {})
    monkeypatch.setattr(Feed, "_book", lambda feed, now_ms: made.append("book") or {"print_count": 0})
    board = board_of(("books", BOOK))
    sources = Sources(board, Health("nowhere", 0), Reach(0))
    browsers = [Stream(sources, [FEED]) for _ in range(50)]
    for now_ms in (1000, 1200):
        updates = [browser.update(now_ms) for browser in browsers]
    assert made == ["row", "book"]
    board.take("books", book(50000000002, 50000000001).encode(), 1000)
    updates = [browser.update(1400) for browser in browsers]
    assert [len(update["rows"]) for update in updates if update] == [1] * 50
    assert made == ["row", "book"] * 2
