"""What the page keeps of the messages that it reads."""

from mdplatform.dashboard.board import REPLACEABLE_AFTER_MS, Board, Seen
from mdplatform.dashboard.feed import SILENT_AFTER_MS
from mdplatform_tests.dashboard.wire import BOOK, STATUS, TRADE

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


def test_a_browser_is_told_when_a_feed_falls_silent() -> None:
    board = board_of(("status", STATUS))
    seen: Seen = {}
    board.changes(seen, 1000)
    assert board.changes(seen, 2000) == ([], [])
    assert [row["state"] for row in board.changes(seen, 1001 + SILENT_AFTER_MS)[0]] == ["silent"]


def test_a_trade_that_comes_twice_is_shown_once() -> None:
    detail = board_of(("trades", TRADE), ("trades", TRADE)).detail(FEED, 1000)
    assert detail is not None
    assert [trade["price"] for trade in detail["trades"]] == ["60000.20"]


def test_what_is_not_a_message_of_its_topic_is_counted() -> None:
    board = board_of(("books", "no json"), ("books", "{}"), ("trades", BOOK), ("status", ""), ("books", "[]"))
    assert (board.messages, board.refused, len(board)) == (5, 5, 0)


def test_a_malformed_book_is_counted_and_not_shown() -> None:
    board = board_of(("books", BOOK), ("books", BOOK.replace("[60000.10,60000.00]", '["x",1]')))
    assert "bid" not in row_of(board)
    assert board.refused == 1


def test_a_feed_beyond_the_bound_is_left_out_and_counted() -> None:
    board = board_of(("books", BOOK), ("books", BOOK.replace("BTC-USDT", "ETH-USDT")), max_feeds=1)
    assert (len(board), board.left_out) == (1, 1)


def test_a_feed_unheard_of_makes_room_for_a_new_one() -> None:
    board = board_of(("books", BOOK), max_feeds=1)
    seen: Seen = {}
    board.changes(seen, 1000)
    board.take("books", BOOK.replace("BTC-USDT", "ETH-USDT").encode(), 1000 + REPLACEABLE_AFTER_MS)
    rows, gone = board.changes(seen, 1000 + REPLACEABLE_AFTER_MS)
    assert ([row["symbol"] for row in rows], gone) == (["ETH-USDT"], [FEED])
