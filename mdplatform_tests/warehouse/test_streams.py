"""From topics into tables, on a real broker."""

import dataclasses
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.event_kinds import STORED
from mdplatform.core.settings import Settings
from mdplatform.embedded import clickhouse
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.queries import run
from mdplatform_tests.warehouse.conftest import Attach
from mdplatform_tests.warehouse.rows import after
from mdplatform_tests.warehouse.topics import book, create_topics, publish, shows


def rows(client: Client, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in client.query(sql).result_rows]


def test_book_message_becomes_a_row_and_a_top(streaming: Settings, attach: Attach) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, [book(7, previous_sequence=6)])
    shows(
        client,
        "SELECT exchange, symbol, b, bv, a, av, sequence, previous_sequence, _topic, _offset FROM md_orderbook_depth",
        [("binance", "BTC-USDT", [99.5, 99], [1, 2], [100.5, 101], [3, 4], 7, 6, streaming.topic_books, 0)],
    )
    shows(client, "SELECT bid_price, bid_size, ask_price, ask_size FROM md_top_of_book", [(99.5, 1.0, 100.5, 3.0)])


def test_times_keep_their_nanoseconds(streaming: Settings, attach: Attach) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, [book(7, venue_ns=after(0.007) + 123, received_ns=after(0.012) + 456)])
    shows(
        client,
        "SELECT toUnixTimestamp64Milli(timestamp), toUnixTimestamp64Nano(venue_time),"
        " toUnixTimestamp64Nano(received_at) FROM md_orderbook_depth",
        [(after(0.007) // 10**6, after(0.007) + 123, after(0.012) + 456)],
    )


@pytest.mark.parametrize(
    ("empty", "top"),
    [
        ({"a": [], "av": []}, (99.5, 1.0, None, None, None, None, None, None)),
        ({"b": [], "bv": []}, (None, None, 100.5, 3.0, None, None, None, None)),
        ({"b": [], "bv": [], "a": [], "av": []}, (None,) * 8),
    ],
)
def test_emptied_side_is_stored_and_has_no_best_price(
    streaming: Settings, attach: Attach, empty: dict[str, object], top: tuple[float | None, ...]
) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, [book(1), book(2, **empty)])
    shows(client, "SELECT sequence FROM md_orderbook_depth ORDER BY sequence", [(1,), (2,)])
    shows(
        client,
        "SELECT bid_price, bid_size, ask_price, ask_size, mid, spread, spread_bps, imbalance FROM md_top_of_book"
        " WHERE sequence = 2",
        [top],
    )


def test_quote_of_an_emptied_book_is_stored(streaming: Settings, attach: Attach) -> None:
    client = attach("quotes")
    none = dict.fromkeys(("bid_price", "bid_size", "ask_price", "ask_size"))
    quote = {"exchange": "binance", "symbol": "BTC-USDT", "sequence": 9, "ts": after(0) // 10**6, **none}
    publish(streaming, streaming.topic_quotes.replace("{exchange}", "binance"), [quote])
    shows(client, "SELECT bid_price, ask_price, sequence FROM md_quotes", [(None, None, 9)])


def test_quote_that_lacks_its_prices_is_no_empty_one(streaming: Settings, attach: Attach) -> None:
    client = attach("quotes")
    quote = {"exchange": "binance", "symbol": "BTC-USDT", "sequence": 9, "ts": after(0) // 10**6}
    publish(streaming, streaming.topic_quotes.replace("{exchange}", "binance"), [quote])
    shows(client, "SELECT reason FROM md_dead_letter", [("incomplete_message",)])


def test_ignored_frames_are_counted_by_kind(streaming: Settings, attach: Attach) -> None:
    client = attach("feed_stats")
    stats = {"exchange": "binance", "conn": "c1", "frames": 9, "ts": after(0) // 10**6}
    counted = {**stats, "ts": after(1) // 10**6, "ignored": {"stale_diff": 3, "first_snapshot": 1}}
    publish(streaming, streaming.topic_stats, [stats, counted])
    shows(
        client,
        "SELECT frames, ignored FROM md_feed_stats ORDER BY timestamp",
        [(9, {}), (9, {"stale_diff": 3, "first_snapshot": 1})],
    )


def test_message_published_twice_is_one_row(streaming: Settings, attach: Attach) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, [book(n) for n in range(1, 101)] * 2)
    shows(client, "SELECT count() FROM md_orderbook_depth_store FINAL WHERE _offset >= 199", [(1,)])
    assert rows(client, "SELECT count(), uniqExact(sequence) FROM md_orderbook_depth") == [(100, 100)]
    shows(client, "SELECT count(), uniqExact(sequence) FROM md_top_of_book", [(100, 100)])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("{broken", "unreadable_message"),
        ('{"b": ["x"]}', "incomplete_message"),
        ('{"other": 1}', "incomplete_message"),
    ],
)
def test_bad_message_becomes_a_dead_letter_and_stops_nothing(
    streaming: Settings, attach: Attach, message: str, reason: str
) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, [book(1), message, book(2)])
    shows(client, "SELECT sequence FROM md_orderbook_depth ORDER BY sequence", [(1,), (2,)])
    shows(
        client,
        "SELECT reason, _topic, _offset, error != '' FROM md_dead_letter",
        [(reason, streaming.topic_books, 1, 1)],
    )


def test_refused_message_is_kept_verbatim(streaming: Settings, attach: Attach) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, ['{"b": ["x"], "ü": "\\u0000"}'])
    shows(client, "SELECT frame FROM md_dead_letter", [('{"b": ["x"], "ü": "\\u0000"}',)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"symbol": ""},
        {"bv": [1]},
        {"sequence": 0},
        {"b": ["x"], "bv": [1]},
        {"b": ["x"], "bv": ["y"]},
        {"b": None, "bv": None},
        {"b": "99.5", "bv": "1"},
    ],
)
def test_impossible_book_becomes_a_dead_letter(streaming: Settings, attach: Attach, wrong: dict[str, object]) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, [book(5, **wrong)])
    shows(client, "SELECT reason FROM md_dead_letter", [("incomplete_message",)])
    assert rows(client, "SELECT count() FROM md_orderbook_depth") == [(0,)]


@pytest.mark.parametrize("timestamp", [1723154400, 1723154400000000])
def test_time_in_another_unit_is_refused(streaming: Settings, attach: Attach, timestamp: int) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, [book(5, timestamp=timestamp)])
    shows(client, "SELECT reason FROM md_dead_letter", [("impossible_time",)])
    assert rows(client, "SELECT count() FROM md_orderbook_depth") == [(0,)]


def test_trade_message_becomes_a_row(streaming: Settings, attach: Attach) -> None:
    client = attach("trades")
    trade = {"exchange": "binance", "symbol": "BTC-USDT", "id": "9", "price": 1.5, "qty": 2, "side": "sell"}
    times = {"ts": after(0) // 10**6, "venue_ns": after(0), "received_ns": after(1)}
    publish(streaming, streaming.topic_trades.replace("{exchange}", "binance"), [{**trade, **times}])
    shows(client, "SELECT id, price, qty, side, provenance FROM md_trades", [("9", 1.5, 2.0, "sell", "live")])


def test_depth_of_the_whole_book_is_stored(streaming: Settings, attach: Attach) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, [book(1, bid_depth_10bps=7.5, ask_depth_10bps=None), book(2)])
    shows(
        client,
        "SELECT bid_depth_10bps, ask_depth_10bps FROM md_orderbook_depth ORDER BY sequence",
        [(7.5, None), (None, None)],
    )


def test_a_trade_of_several_matches_says_which(streaming: Settings, attach: Attach) -> None:
    client = attach("trades")
    trade = {"exchange": "okx", "symbol": "BTC-USDT", "price": 1.5, "qty": 2, "side": "sell", "ts": after(0) // 10**6}
    several = [{**trade, "id": "9", "first_id": "7", "count": 3}, {**trade, "id": "10"}]
    publish(streaming, streaming.topic_trades.replace("{exchange}", "okx"), several)
    shows(client, "SELECT id, first_id, count FROM md_trades ORDER BY length(id)", [("9", "7", 3), ("10", None, None)])


def test_the_newest_of_two_funding_messages_of_one_time_holds(streaming: Settings, attach: Attach) -> None:
    client = attach("funding")
    funding = {"exchange": "okx", "symbol": "BTC-USDT-PERP", "rate": 0.0001, "mark_price": 100, "index_price": 99}
    funding |= {"next_funding_ts": None, "ts": after(0) // 10**6, "venue_ns": after(0)}
    first, second = {**funding, "received_ns": after(1)}, {**funding, "index_price": 101, "received_ns": after(1.001)}
    topic = streaming.topic_funding.replace("{exchange}", "okx")
    publish(streaming, topic, [second, first, {**funding, "ts": after(9) // 10**6, "venue_ns": after(9)}])
    shows(client, "SELECT index_price FROM md_funding ORDER BY timestamp", [(101.0,), (99.0,)])


def test_status_interval_is_one_row_from_opening_to_close(streaming: Settings, attach: Attach) -> None:
    client = attach("feed_status")
    opening = {"exchange": "binance", "symbol": "BTC-USDT", "channel": "book", "state": "gap", "cause": "sequence"}
    opening |= {"started_ns": after(0), "ended_ns": None, "first_sequence": 5, "last_sequence": None, "missed": None}
    closing = opening | {"ended_ns": after(3), "last_sequence": 9, "missed": 5}
    publish(streaming, streaming.topic_status, [opening, closing])
    shows(
        client,
        "SELECT state, cause, first_sequence, last_sequence, missed, dateDiff('ms', started_at, ended_at)"
        " FROM md_feed_status",
        [("gap", "sequence", 5, 9, 5, 3000)],
    )


def test_dead_letter_of_a_collector_becomes_a_row(streaming: Settings, attach: Attach) -> None:
    client = attach("dead_letters")
    letter = {"exchange": "binance", "reason": "json", "error": "cut", "frame": '{"x', "received_ns": after(0)}
    publish(streaming, streaming.topic_dead_letters, [letter | {"conn": "c1"}])
    shows(
        client,
        "SELECT exchange, reason, error, frame, conn FROM md_dead_letter",
        [("binance", "json", "cut", '{"x', "c1")],
    )


def test_changed_stream_goes_on_where_it_was(streaming: Settings, attach: Attach) -> None:
    client = attach()
    migrate(streaming)
    publish(streaming, streaming.topic_books, [book(n) for n in range(1, 1001)])
    shows(client, "SELECT count() FROM md_orderbook_depth_store", [(1000,)])
    # Another name of the same broker: the text of every stream changes.
    changed = dataclasses.replace(
        streaming, clickhouse_kafka_brokers=streaming.kafka_brokers.replace("127.0.0.1", "localhost")
    )
    publish(streaming, streaming.topic_books, [book(n) for n in range(1001, 2001)])
    report = migrate(changed)
    publish(streaming, streaming.topic_books, [book(n) for n in range(2001, 3001)])
    assert "streams/books.sql" in report.recreated
    shows(client, "SELECT count(), uniqExact(sequence) FROM md_orderbook_depth_store", [(3000, 3000)])
    shows(client, "SELECT count(), uniqExact(sequence) FROM md_top_of_book_store", [(3000, 3000)])


def test_second_migration_leaves_streams_alone(streaming: Settings, attach: Attach) -> None:
    client = attach()
    migrate(streaming)
    query = "SELECT name, metadata_modification_time FROM system.tables WHERE database = currentDatabase()"
    created = rows(client, query)
    report = migrate(streaming)
    assert (report.applied, report.recreated) == ([], [])
    assert sorted(rows(client, query)) == sorted(created)


def test_stream_that_is_missing_is_created_again(streaming: Settings, attach: Attach) -> None:
    client = attach()
    migrate(streaming)
    client.command("DROP TABLE md_orderbook_stream_kafka_view")
    assert migrate(streaming).recreated == ["streams/books.sql"]
    publish(streaming, streaming.topic_books, [book(1)])
    shows(client, "SELECT count() FROM md_orderbook_depth", [(1,)])


def test_consumers_report_what_they_read(streaming: Settings, attach: Attach) -> None:
    client = attach()
    migrate(streaming)
    publish(streaming, streaming.topic_books, [book(n) for n in range(1, 11)])
    shows(client, "SELECT count() FROM md_orderbook_depth", [(10,)])
    with connect(streaming) as client:
        rows = {row["table"]: row for row in run(client, "observe_consumers")}
    assert rows["md_orderbook_stream_kafka"]["messages"] == 10
    assert rows["md_orderbook_stream_kafka"]["subscribed"] == [streaming.topic_books]
    assert [row["errors"] for row in rows.values()] == [[]] * len(STORED)


def test_two_consumers_share_a_topic_and_store_each_message_once(tmp_path: Path, streaming: Settings) -> None:
    # Members without a name: the embedded node's own ones share theirs, and two of a group would fence each other.
    with clickhouse.start(tmp_path, kafka={"group_instance_id": ""}) as node:
        settings = dataclasses.replace(streaming, clickhouse_url=node.url, kafka_consumers=2)
        create_topics(settings)
        migrate(settings)
        for symbol, count in ("BTC-USD", 10), ("BTC-USDT", 20):  # of either partition
            books = [book(n, symbol=symbol) for n in range(1, count + 1)]
            publish(settings, settings.topic_books, books, key=symbol)
        with connect(settings) as client:
            stored = "SELECT symbol, count() FROM md_orderbook_depth_store GROUP BY symbol ORDER BY symbol"
            shows(client, stored, [("BTC-USD", 10), ("BTC-USDT", 20)])
            consumers = run(client, "observe_consumers")
    read = [row["messages"] for row in consumers if row["table"] == "md_orderbook_stream_kafka"]
    assert sorted(read) == [10, 20]


def test_contracts_are_stored_as_sent_beside_base_units(streaming: Settings, attach: Attach) -> None:
    client = attach("books")
    publish(streaming, streaming.topic_books, [book(1, raw_bv=[10, 20], raw_av=[30, 40])])
    shows(client, "SELECT bv, raw_bv, av, raw_av FROM md_orderbook_depth", [([1, 2], [10, 20], [3, 4], [30, 40])])


def test_quote_message_becomes_a_row(streaming: Settings, attach: Attach) -> None:
    client = attach("quotes")
    quote = {"exchange": "binance", "symbol": "BTC-USDT", "bid_price": 1.5, "bid_size": 2, "sequence": 9}
    times = {"ts": after(0) // 10**6, "venue_ns": after(0), "received_ns": after(1)}
    topic = streaming.topic_quotes.replace("{exchange}", "binance")
    publish(streaming, topic, [{**quote, "ask_price": None, "ask_size": None, **times}] * 2)
    shows(
        client,
        "SELECT bid_price, bid_size, ask_price, raw_bid_size, sequence FROM md_quotes",
        [(1.5, 2.0, None, None, 9)],
    )


def test_instruments_are_dated(streaming: Settings, attach: Attach) -> None:
    client = attach("instruments")
    listing = {"exchange": "okx", "symbol": "BTC-USD-PERP", "venue_symbol": "BTC-USD-SWAP", "base": "BTC"}
    listing |= {"quote": "USD", "kind": "perpetual", "tick": "0.1", "contract_size": "100", "inverse": True}
    lists = [
        {**listing, "status": status, "received_ns": after(at)}
        for status, at in (("live", 0), ("live", 60), ("suspend", 120), ("suspend", 180))
    ]
    publish(streaming, streaming.topic_instruments, lists)
    shows(
        client,
        "SELECT status, tick, contract_size, inverse, step, dateDiff('s', valid_from, valid_to), "
        "dateDiff('s', first_seen_at, last_seen_at) FROM md_instruments ORDER BY valid_from",
        [("live", 0.1, 100.0, True, None, 120, 60), ("suspend", 0.1, 100.0, True, None, None, 60)],
    )


def test_a_gap_that_another_collector_covered_is_prevented(streaming: Settings, attach: Attach) -> None:
    client = attach("feed_status")
    status = {"exchange": "binance", "symbol": "BTC-USDT", "channel": "book", "cause": "test"}
    spans = [("A", "valid", 0, 10), ("A", "gap", 10, 12), ("A", "valid", 12, 40), ("A", "down", 40, 50)]
    spans += [("B", "valid", 1, 20), ("B", "stale", 20, 45)]
    messages = [
        {**status, "collector": who, "state": state, "started_ns": after(start), "ended_ns": after(end)}
        for who, state, start, end in spans
    ]
    publish(streaming, streaming.topic_status, messages)
    shows(
        client,
        "SELECT collector, state, prevented FROM md_feed_gaps ORDER BY started_ns",
        [("A", "gap", 1), ("B", "stale", 0), ("A", "down", 0)],
    )
