"""What the page reads from the warehouse, on the real engine."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import cast
from urllib.parse import urlencode, urlsplit

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import WarehouseError
from mdplatform.core.events import State
from mdplatform.core.settings import Settings
from mdplatform.dashboard.history import MOST_POINTS, History, step_seconds
from mdplatform.dashboard.intervals import Intervals
from mdplatform.dashboard.messages import StatusMessage
from mdplatform_tests.dashboard.wire import eventually, healthz, serving
from mdplatform_tests.warehouse.rows import HOUR, LAG_NS, after, put_books, put_status, put_trades

FEED = ("binance", "BTC-USDT")
# Receive times: the rows are received LAG_NS after the venue's time.
UNTIL_MS = (after(120) + LAG_NS) // 1_000_000


@pytest.fixture
def history(warehouse: Client, empty: Settings) -> Iterator[History]:
    history = History(empty)
    history.start()
    yield history
    history.stop()


def test_a_step_holds_its_last_best_prices(warehouse: Client, history: History) -> None:
    put_books(
        warehouse,
        {"at": after(60), "sequence": 1},
        {"at": after(60.5), "sequence": 2, "previous_sequence": 1, "b": [99.5], "bv": [3.0]},
        {"at": after(62), "sequence": 3, "previous_sequence": 2},
    )
    points = history.points(*FEED, 5, UNTIL_MS)
    assert (points["bid"], points["ask"], points["imbalance"]) == ([99.5, 99.0], [101.0, 101.0], [0.5, 0.0])
    assert points["at_ms"] == [after(60) // 1_000_000, after(62) // 1_000_000]


def test_a_side_that_empties_has_no_price_and_takes_its_size_along(warehouse: Client, history: History) -> None:
    put_books(
        warehouse,
        {"at": after(60), "sequence": 1, "bv": [2.0]},
        {"at": after(61), "sequence": 2, "previous_sequence": 1, "bv": [2.0], "a": [], "av": []},
        {"at": after(62), "sequence": 3, "previous_sequence": 2, "b": [], "bv": [], "a": [], "av": []},
    )
    points = history.points(*FEED, 5, UNTIL_MS)
    assert points["bid"] == [99.0, 99.0, None]
    assert points["ask"] == [101.0, None, None]
    assert points["imbalance"] == [pytest.approx(1 / 3), None, None]
    assert points["flow"] == [0.0, 1.0, -2.0]


def test_order_flow_is_that_of_updates_that_follow_each_other(warehouse: Client, history: History) -> None:
    put_books(
        warehouse,
        {"at": after(60), "sequence": 1},
        {"at": after(61), "sequence": 2, "previous_sequence": 1, "bv": [4.0]},
        {"at": after(62), "sequence": 9, "previous_sequence": 8, "bv": [9.0]},
    )
    assert history.points(*FEED, 5, UNTIL_MS)["flow"] == [0.0, 3.0, 0.0]


def test_a_book_stored_twice_has_its_flow_once(warehouse: Client, history: History) -> None:
    update = {"at": after(61), "sequence": 2, "previous_sequence": 1, "bv": [4.0]}
    put_books(warehouse, {"at": after(60), "sequence": 1}, update)
    put_books(warehouse, update)
    assert history.points(*FEED, 5, UNTIL_MS)["flow"] == [0.0, 3.0]


def test_other_feeds_and_earlier_times_are_left_out(warehouse: Client, history: History) -> None:
    put_books(
        warehouse,
        {"at": after(-600), "sequence": 1},
        {"at": after(60), "sequence": 1, "symbol": "ETH-USDT"},
        {"at": after(60), "sequence": 1, "exchange": "okx"},
    )
    assert history.points(*FEED, 5, UNTIL_MS)["at_ms"] == []


def test_a_trade_stored_twice_is_shown_once_and_the_newest_first(warehouse: Client, history: History) -> None:
    put_trades(warehouse, {"at": after(60), "id": "1"}, {"at": after(61), "id": "2"})
    put_trades(warehouse, {"at": after(60), "id": "1"})
    assert [(row["kind"], row["id"]) for row in history.feed(*FEED, 5, 5, UNTIL_MS)["prints"]] == [
        ("trade", "2"),
        ("trade", "1"),
    ]


def test_a_gap_that_no_other_collector_covers_is_a_break(warehouse: Client, history: History) -> None:
    put_status(warehouse, "gap", after(60), after(70))
    put_status(warehouse, "gap", after(80), after(90), exchange="okx")
    span = [after(60) // 1_000_000, after(70) // 1_000_000]
    assert history.feed(*FEED, 5, 5, UNTIL_MS)["breaks"] == [[*span, "gap", "test", ""]]


# state, begin and end in seconds (None: only the begin was said), collector
ALONE = (
    ("valid", 10, 20, "A"),
    ("down", 20, None, "A"),
    ("resync", 30, 31, "A"),
    ("valid", 31, 40, "A"),
    ("gap", 40, None, "A"),
)
TWO = (
    ("valid", 10, 60, "A"),
    ("down", 20, 30, "B"),  # prevented by A
    ("valid", 30, 62, "B"),
    ("gap", 60, 70, "A"),
    ("gap", 62, 65, "B"),
    ("valid", 65, 70, "B"),
    ("stale", 70, None, "B"),
)


@pytest.mark.parametrize("said", [ALONE, TWO], ids=["one collector", "two collectors"])
def test_stream_and_history_agree_on_what_was_not_proven(
    warehouse: Client, history: History, said: tuple[tuple[str, int, int | None, str], ...]
) -> None:
    streamed = Intervals()
    for state, begin, end, collector in reversed(said):
        ended = None if end is None else after(end)
        put_status(warehouse, state, after(begin), ended, collector=collector)
        status = StatusMessage(*FEED, "book", cast("State", state), "test", after(begin), ended, None, collector)
        streamed.take(status, 0)
    told = history.feed(*FEED, 5, 5, UNTIL_MS)["breaks"]
    assert sorted(map(tuple, told)) == sorted(streamed.breaks())


def test_a_break_without_an_end_lasts_until_the_next_interval(warehouse: Client, history: History) -> None:
    for state, begin, end, collector in ALONE:
        put_status(warehouse, state, after(begin), None if end is None else after(end), collector=collector)
    told = [(state, to) for _, to, state, *_ in history.feed(*FEED, 5, 5, UNTIL_MS)["breaks"]]
    assert told == [("gap", None), ("resync", after(31) // 1_000_000), ("down", after(30) // 1_000_000)]


def test_a_candle_holds_its_trades_and_the_running_one_what_traded_until_then(
    warehouse: Client, history: History
) -> None:
    prices = [(30, 100.0), (31, 104.0), (59.5, 98.0), (59.9, 99.0), (60, 99.5), (95, 97.0), (119, 120.0)]
    put_trades(
        warehouse,
        *({"at": after(at), "id": str(n), "price": price, "side": "sell"} for n, (at, price) in enumerate(prices)),
    )
    put_trades(warehouse, {"at": after(60), "id": "4", "price": 99.5, "side": "buy"})  # repeated by a second collector
    now_ms = after(120) // 1_000_000
    found = history.feed(*FEED, 5, 60, now_ms, bars_from_s=now_ms // 1000 - 10)
    start_s = HOUR.timestamp()
    assert found["until_s"] == start_s + 110
    assert [bar[:6] for bar in found["bars"]] == [
        [start_s, 100.0, 104.0, 98.0, 99.0, 4.0],
        [start_s + 60, 99.5, 99.5, 97.0, 97.0, 2.0],
    ]


def test_the_day_of_each_feed_is_that_of_its_trades(warehouse: Client, history: History) -> None:
    put_trades(
        warehouse,
        {"at": after(-90_000), "id": "0", "price": 1.0},  # before the day
        {"at": after(0), "id": "1", "price": 100.0},
        {"at": after(61), "id": "2", "price": 140.0, "qty": 2.0},
        {"at": after(90), "id": "3", "price": 90.0},
        {"at": after(30), "id": "1", "price": 7.0, "exchange": "okx"},
    )
    first, other = history.day(after(120) // 1_000_000)
    assert first == {
        "exchange": "binance",
        "symbol": "BTC-USDT",
        "from_ms": after(0) // 1_000_000,
        "open": 100.0,
        "last": 90.0,
        "high": 140.0,
        "low": 90.0,
        "volume": 4.0,
    }
    assert (other["exchange"], other["last"]) == ("okx", 7.0)


def test_the_depth_map_has_the_last_book_of_each_step(warehouse: Client, history: History) -> None:
    put_books(
        warehouse,
        {"at": after(60), "sequence": 1},
        {"at": after(60.5), "sequence": 2, "b": [99.5, 98.0], "bv": [3.0, 1.0]},
        {"at": after(70), "sequence": 3, "a": [], "av": []},
        {"at": after(60), "sequence": 1, "symbol": "ETH-USDT"},
    )
    found = history.depth(*FEED, 5, UNTIL_MS)
    assert found == {
        "step_ms": 1000,
        "books": [
            [after(60) // 1_000_000, [(99.5, 3.0), (98.0, 1.0)], [(101.0, 1.0)]],
            [after(70) // 1_000_000, [(99.0, 1.0)], []],
        ],
    }


def test_open_interest_and_funding_are_the_last_of_each_bar(warehouse: Client, history: History) -> None:
    for table, column, values in (("open_interest", "open_interest", (5.0, 7.0)), ("funding", "rate", (1e-4, 2e-4))):
        for at, value in zip((60, 62), values, strict=True):
            times = dict.fromkeys(("timestamp", "venue_time", "received_at"), HOUR + timedelta(seconds=at))
            row = {"exchange": "binance", "symbol": "BTC-USDT", column: value, **times}
            row |= {"_topic": "test", "_partition": 0, "_offset": at}
            warehouse.insert(f"md_{table}_store", [list(row.values())], column_names=list(row))
    found = history.feed(*FEED, 5, 60, UNTIL_MS)
    start_s = HOUR.timestamp()
    assert (found["open_interest"], found["funding"]) == ([[start_s + 60, 7.0]], [[start_s + 60, 2e-4]])


def test_the_pipeline_states_how_late_trades_are_and_which_hours_are_built(warehouse: Client, history: History) -> None:
    put_trades(warehouse, {"at": after(60), "id": "1"}, {"at": after(61), "id": "2"})
    costs = {"hour": HOUR, "part": "spread_hourly", "seconds": 1.5, "rows": 10, "bytes": 0}
    warehouse.insert("_costs", [list(costs.values())], column_names=list(costs))
    found = history.pipeline(UNTIL_MS)
    (stage,) = found["stages"]
    assert (stage["exchange"], stage["rows"], stage["venue_p50_ms"]) == ("binance", 2, LAG_NS // 1_000_000)
    assert [(hour["hour_ms"], hour["seconds"], hour["rows"]) for hour in found["built"]] == [
        (after(0) // 1_000_000, 1.5, 10)
    ]


def test_what_all_ask_is_read_once_also_where_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(Settings())
    asked = []

    def ask(query: str, **_: object) -> list[dict[str, object]]:
        asked.append(query)
        if query == "page_day":
            raise WarehouseError("away")
        return []

    monkeypatch.setattr(history, "_ask", ask)
    for _ in range(50):
        history.depth(*FEED, 5, UNTIL_MS)
        with pytest.raises(WarehouseError, match="away"):
            history.day(UNTIL_MS)
    assert asked == ["page_depth", "page_day"]
    history.depth(*FEED, 5, UNTIL_MS + 60_000)
    assert asked[2:] == ["page_depth"]


def put_instrument(client: Client, symbol: str, **fields: object) -> None:
    names = {"exchange": "binance", "symbol": symbol, "tick": 0.1, "step": 10.0, "version": 1}
    row = {**names, "first_seen_at": HOUR, "last_seen_at": HOUR, **fields}
    client.insert("md_instruments_store", [list(row.values())], column_names=list(row))


def test_tick_and_step_are_those_of_the_last_list_in_base_units(warehouse: Client, history: History) -> None:
    put_instrument(warehouse, "BTC-USDT", step=0.5)
    put_instrument(warehouse, "BTC-USDT", version=2, last_seen_at=HOUR + timedelta(hours=1), contract_size=0.01)
    put_instrument(warehouse, "BTC-USD-PERP", inverse=True, contract_size=10.0)
    assert history.feed(*FEED, 5, 5, UNTIL_MS)["increments"] == {"tick": 0.1, "step": 0.1}
    inverse = history.feed("binance", "BTC-USD-PERP", 5, 5, UNTIL_MS)
    assert inverse["increments"] == {"tick": 0.1, "step": None}
    assert history.feed("binance", "ETH-USDT", 5, 5, UNTIL_MS)["increments"] == {}


def test_the_calendar_has_a_cell_for_each_day_with_its_gaps(warehouse: Client, history: History) -> None:
    put_status(warehouse, "valid", after(-86_400), after(0))
    put_status(warehouse, "gap", after(0), after(60), missed=7)
    put_status(warehouse, "valid", after(60), after(3600))
    until_ms = after(3600) // 1_000_000
    found = history.coverage(7, until_ms)
    assert [row[:3] for row in found["cells"]] == [[*FEED, "book"]] * 2
    assert [row[4:] for row in found["cells"]] == [[1, 0, 0, 0], [pytest.approx(1 - 60 / 82_800), 1, 0, 7]]
    (gap,) = history.gaps(*FEED, "book", found["cells"][1][3], until_ms)
    assert (gap["cause"], gap["missed"], gap["prevented"]) == ("test", 7, 0)
    assert history.gaps("binance_", "BTC-USDT", "book", found["cells"][1][3], until_ms) == []


def test_the_calendar_says_what_the_venue_publishes_of_the_unproven_time(warehouse: Client, history: History) -> None:
    put_status(warehouse, "valid", after(-86_400), after(0), channel="trades")
    put_status(warehouse, "gap", after(0), after(60), channel="trades")
    put_status(warehouse, "valid", after(60), after(86_400), channel="trades")
    put_status(
        warehouse, "valid", after(-86_400), after(86_400), channel="book"
    )  # of this venue no books are published
    until_ms = after(3600) // 1_000_000
    (found,) = history.coverage(2, until_ms)["loadable"]
    assert (found["exchange"], found["symbol"], found["channel"]) == (*FEED, "trades")
    # Asked is from 23:00 of 6 August on; the feed is known from 22:00 of the 7th on.
    assert [f"{datetime.fromtimestamp(ms / 1000, UTC):%d %H:%M}" for ms in found["days"]] == [
        "06 00:00",
        "07 00:00",
        "08 00:00",
    ]
    assert found["unproven_s"] == pytest.approx(23 * 3600 + 60)
    assert [command.split(" --select ")[1] for command in found["commands"]] == [
        "trades_history --partition-range 2024-08-06...2024-08-08"
    ]
    (hourly,) = history.coverage(1, until_ms)["loadable"]
    assert hourly["unproven_s"] == pytest.approx(60)
    assert [command.split(" --select ")[1] for command in hourly["commands"]] == [
        "trades_history --partition 2024-08-08"
    ]


def test_one_day_is_shown_by_hour(warehouse: Client, history: History) -> None:
    put_status(warehouse, "valid", after(-7200), after(3600))
    found = history.coverage(1, after(3600) // 1_000_000)
    assert (found["step_ms"], [row[4] for row in found["cells"]]) == (3_600_000, [1, 1, 1])


@pytest.mark.parametrize("minutes", [1, 5, 15, 60])
def test_a_chart_has_no_more_points_than_it_can_show(minutes: int) -> None:
    assert minutes * 60 / step_seconds(minutes) <= MOST_POINTS


def test_a_warehouse_that_does_not_answer_is_one_clear_error() -> None:
    history = History(Settings(clickhouse_url="http://user:secret@127.0.0.1:1"))
    with pytest.raises(WarehouseError, match=r"http://user:\*\*\*@127\.0\.0\.1:1 cannot be reached"):
        history.points(*FEED, 5, UNTIL_MS)


def ask(url: str, **query: object) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", f"/history?{urlencode(query)}")
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_the_page_shows_whether_the_warehouse_answers(warehouse: Client, empty: Settings) -> None:
    with serving(dataclasses.replace(empty, kafka_brokers="127.0.0.1:1")) as url:
        assert eventually(lambda: healthz(url)["warehouse"]["state"] == "reachable")
        status, text = ask(url, feed="binance/BTC-USDT", minutes=5, only="points")
    assert (status, text) == (200, '{"step_ms":1000,"at_ms":[],"bid":[],"ask":[],"imbalance":[],"flow":[]}')


def test_without_a_warehouse_the_page_says_so_and_goes_on() -> None:
    with serving(Settings(kafka_brokers="127.0.0.1:1", clickhouse_url="http://127.0.0.1:1")) as url:
        assert eventually(lambda: healthz(url)["warehouse"]["state"] == "unreachable")
        status, text = ask(url, feed="binance/BTC-USDT")
    assert status == 503
    assert "cannot be reached" in text


@pytest.mark.parametrize(
    "query", [{}, {"feed": "binance"}, {"feed": "a/b", "minutes": "x"}, {"feed": "a/b", "minutes": 10081}]
)
def test_what_cannot_be_asked_is_refused(query: dict[str, object]) -> None:
    with serving(Settings(kafka_brokers="127.0.0.1:1", clickhouse_url="http://127.0.0.1:1")) as url:
        assert ask(url, **query)[0] == 400


@pytest.mark.parametrize(
    "path",
    [
        "/coverage?days=1&day=2",
        "/history?feed=a/b&minute=5",
        "/history?feed=a/b&minutes=5&bar=7",
        "/history?feed=a/b&minutes=10080&bar=1",
        "/depth?feed=a/b&minutes=61",
        "/depth?feed=a",
        "/day?feed=a/b",
        "/pipeline?x=1",
        "/events?feeds=a/b",
        "/coverage?days=0",
        "/coverage?days=x",
        "/gaps",
        "/gaps?feed=a/b&from=1&to=2",
        "/gaps?feed=a/b/c&from=2&to=1",
    ],
)
def test_what_cannot_be_asked_of_coverage_is_refused(path: str) -> None:
    with serving(Settings(kafka_brokers="127.0.0.1:1", clickhouse_url="http://127.0.0.1:1")) as url:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
        connection.request("GET", path)
        assert connection.getresponse().status == 400
        connection.close()
