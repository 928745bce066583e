"""The top-of-book table shows the newest touch of every book, and the command draws it from the topic."""

import io
import os
import time

from rich.console import Console

from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.core.settings import Settings
from mdplatform.terminal.topofbook import COLUMNS, TopOfBook
from mdplatform.terminal.watch import heading, line, run_topofbook, table
from mdplatform_tests.signals.books import START_MS, message
from mdplatform_tests.signals.running import running


def state(*messages: bytes) -> TopOfBook:
    top = TopOfBook()
    for value in messages:
        top.take(value)
    return top


def test_a_row_holds_what_follows_from_the_touch() -> None:
    (row,) = state(message("100.0", "102.0", sizes=("3", "1"))).rows()
    assert (row.mid, row.spread, round(row.spread_pct, 4), row.imbalance) == (101.0, 2.0, 1.9802, 0.5)


def test_the_newest_book_replaces_the_one_before() -> None:
    assert [row.bid for row in state(message(bid="100.0"), message(bid="101.0")).rows()] == [101.0]


def test_rows_are_by_symbol_then_venue() -> None:
    keys = [("ETH-USDT", "binance"), ("BTC-USDT", "okx"), ("BTC-USDT", "binance")]
    rows = state(*(message(symbol=symbol, exchange=exchange) for symbol, exchange in keys)).rows()
    assert [(row.symbol, row.exchange) for row in rows] == sorted(keys)


def test_a_book_with_an_empty_side_has_no_row() -> None:
    assert state(message(), message(ask="")).rows() == []


def test_what_is_no_book_is_counted_and_the_rest_stays() -> None:
    top = state(message(), b"{}", b"\xff")
    assert (top.passed_over.total, len(top.rows())) == (2, 1)


def test_only_wanted_symbols_are_kept() -> None:
    top = TopOfBook(["ETH-USDT"], ["okx"])
    for symbol, exchange in [("BTC-USDT", "okx"), ("ETH-USDT", "binance")]:
        top.take(message(symbol=symbol, exchange=exchange))
    assert (top.rows(), top.complete()) == ([], False)
    top.take(message(symbol="ETH-USDT", exchange="okx"))
    assert top.complete()


def test_without_a_venue_named_another_may_always_come() -> None:
    top = TopOfBook(["ETH-USDT"])
    top.take(message(symbol="ETH-USDT"))
    assert not top.complete()


def test_a_plain_line_is_aligned_under_its_heading() -> None:
    (row,) = state(message("100.0", "102.0")).rows()
    text = line(row, START_MS * 1_000_000 + 1_500_000_000)
    assert text.split() == ["BTC-USDT", "binance", "100", "3", "102", "1", "101", "2", "1.9802", "+0.50", "1.5"]
    assert len(text) == len(heading())
    assert text.index("binance") == heading().index("venue")


def test_a_spread_is_shown_without_what_floats_leave_over() -> None:
    (row,) = state(message("68908.16", "68908.18")).rows()
    assert dict(zip(COLUMNS, row.cells(0), strict=True))["spread"] == "0.02"


def test_a_narrow_terminal_is_spared_the_sizes() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(table(state(message("100.0", "102.0")), START_MS * 1_000_000, width=console.width))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "imbalance" in shown
    assert "bid size" not in shown


def test_the_table_shows_symbol_venue_and_prices() -> None:
    console = Console(file=io.StringIO(), width=160)
    console.print(table(state(message("100.0", "102.0")), START_MS * 1_000_000))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(word in shown for word in ("BTC-USDT", "binance", "100", "102", "1.9802"))


def test_the_command_writes_a_line_for_a_book_that_arrives(kafka_settings: Settings) -> None:
    Admin(kafka_settings).ensure([kafka_settings.topic_books])
    out = io.StringIO()
    with (
        KafkaBus(kafka_settings) as bus,
        running(lambda stop: run_topofbook(kafka_settings, console=Console(file=out), stop=stop)) as run,
    ):
        while "BTC-USDT" not in out.getvalue():
            run.check()
            bus.publish(kafka_settings.topic_books, b"BTC-USDT", message(), time.time_ns())
            bus.flush(10)
    assert [text.split()[0] for text in out.getvalue().splitlines()] == ["symbol", "BTC-USDT"]


def test_once_ends_by_itself_when_nothing_comes(kafka_settings: Settings) -> None:
    Admin(kafka_settings).ensure([kafka_settings.topic_books])
    out = io.StringIO()
    run_topofbook(kafka_settings, once=True, console=Console(file=out))
    assert out.getvalue() == ""


def test_a_run_leaves_no_group_behind(kafka_settings: Settings) -> None:
    admin = Admin(kafka_settings)
    admin.ensure([kafka_settings.topic_books])
    run_topofbook(kafka_settings, once=True, console=Console(file=io.StringIO()))
    assert [group for group in admin.groups() if f"-{os.getpid()}-" in group] == []


def test_rows_are_sorted_by_any_column_numbers_from_the_largest_down() -> None:
    bids = {"A-USD": "100", "B-USD": "300", "C-USD": "200"}
    for column, order in (("bid", "BCA"), ("symbol", "ABC")):
        top = TopOfBook(sort=column)
        for symbol, bid in bids.items():
            top.take(message(bid=bid, ask="301", symbol=symbol))
        assert [row.symbol[0] for row in top.rows()] == list(order)
    for column in COLUMNS:
        assert TopOfBook(sort=column).rows() == []


def test_symbols_may_be_patterns() -> None:
    top = TopOfBook(["BTC-*", "ETH-USDT"], ["binance"])
    for symbol in ("BTC-USDT", "BTC-USD-PERP", "ETH-USDT", "ETH-USD"):
        top.take(message(symbol=symbol, exchange="binance"))
    assert [row.symbol for row in top.rows()] == ["BTC-USD-PERP", "BTC-USDT", "ETH-USDT"]
    assert not top.complete()


def test_a_narrow_terminal_leaves_columns_out_and_cuts_none() -> None:
    top = state(message(exchange="binance-usdm", symbol="BTC-USDT-PERP"))
    now_ns = START_MS * 10**6
    for width in (60, 80, 100, 135):
        console = Console(file=io.StringIO(), width=width, force_terminal=True)
        console.print(table(top, now_ns, width=width))
        drawn = console.file.getvalue()  # type: ignore[attr-defined]
        assert "…" not in drawn
        assert all(name in drawn for name in ("BTC-USDT-PERP", "binance-usdm", "bid", "ask", "spread"))
    assert ("bid size" in drawn, "imbalance" in drawn) == (True, True)
