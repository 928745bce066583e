"""Rows of any day are stored, whatever else is in their block; rows of impossible times are refused one by one."""

from __future__ import annotations

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.event_kinds import STORED
from mdplatform.core.settings import Settings
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import DATASETS, topics_read
from mdplatform_tests.warehouse.conftest import Attach
from mdplatform_tests.warehouse.rows import after
from mdplatform_tests.warehouse.topics import publish, shows

TABLES = {kind.name: kind.tables[0].name for kind in STORED}
DAY_NS = 86400 * 10**9
MONTHS = [after(0) - 31 * DAY_NS * number for number in range(150)]
OWN_CLOCK = ("instruments", "dead_letters")  # they carry no other time than that of their receipt


@pytest.fixture
def line(streaming: Settings, attach: Attach) -> Client:
    """A database into which all streams read the topics of ``streaming``."""
    client = attach()
    migrate(streaming)
    return client


def message(dataset: str, number: int, at_ns: int, received_ns: int | None = None) -> dict[str, object]:
    """A sound message of ``dataset`` about the time ``at_ns``."""
    received = at_ns if received_ns is None else received_ns
    own: dict[str, dict[str, object]] = {
        "books": {"b": [1], "bv": [1], "a": [2], "av": [1], "timestamp": at_ns // 10**6, "sequence": number},
        "increments": {"kind": "snapshot", "b": [1], "bv": [1], "a": [], "av": [], "timestamp": at_ns // 10**6},
        "quotes": {"bid_price": 1, "bid_size": 1, "ask_price": 2, "ask_size": 1, "sequence": number},
        "trades": {"id": str(number), "price": 1, "qty": 1, "side": "buy"},
        "liquidations": {"id": str(number), "price": 1, "qty": 1, "side": "buy"},
        "funding": {"rate": 0.1, "mark_price": 1, "index_price": 1, "next_funding_ts": None},
        "open_interest": {"open_interest": 1, "open_interest_value": None, "raw_open_interest": None},
        "index": {"price": 1},
        "options": {"mark_price": 1, "mark_iv": 0.5, "delta": -0.5, "underlying": "BTC-25DEC26"},
        "instruments": {"venue_symbol": str(number), "base": "BTC", "quote": "USDT", "kind": "spot"},
        "status": {"channel": "book", "state": "valid", "cause": "test", "started_ns": at_ns, "ended_ns": at_ns},
        "stats": {"conn": "c", "frames": number},
        "dead_letters": {"reason": "test", "error": "test", "frame": "{", "conn": "c"},
        "signals": {"kind": "test", "id": str(number)},
    }
    own["increments"]["sequence"] = number
    times = {"ts": at_ns // 10**6, "venue_ns": at_ns, "received_ns": received}
    return {"exchange": "binance", "symbol": "BTC-USDT", **times, **own[dataset]}


def test_a_block_of_a_hundred_and_fifty_months_is_stored_by_every_stream(streaming: Settings, line: Client) -> None:
    for dataset in DATASETS:
        publish(
            streaming,
            topics_read(streaming, dataset)[0],
            [message(dataset, number, at) for number, at in enumerate(MONTHS, 1)],
        )
    for dataset in DATASETS:
        shows(line, f"SELECT count() FROM {TABLES[dataset]}", [(len(MONTHS),)])


def test_times_that_cannot_be_are_refused_and_the_rows_around_them_stored(streaming: Settings, line: Client) -> None:
    ancient, future = 1230767999 * 10**9, after(0) + 2 * DAY_NS
    for dataset in DATASETS:
        bad = [message(dataset, 2, ancient)]
        if dataset not in OWN_CLOCK:
            bad.append(message(dataset, 3, future, after(0)))
        messages = [message(dataset, 1, after(0)), *bad, message(dataset, 4, after(1))]
        publish(streaming, topics_read(streaming, dataset)[0], messages)
    for dataset in DATASETS:
        topic = topics_read(streaming, dataset)[0]
        refused = f"_topic = '{topic}' AND reason = 'impossible_time'"
        expected = 1 if dataset in OWN_CLOCK else 2
        shows(line, f"SELECT count() FROM md_dead_letter WHERE {refused}", [(expected,)])
        but = f" WHERE _topic = '{topic}' AND NOT ({refused})" if dataset == "dead_letters" else ""
        shows(line, f"SELECT count() FROM {TABLES[dataset]}{but}", [(2,)])


def test_a_row_is_stored_up_to_a_day_before_its_venues_time(streaming: Settings, attach: Attach) -> None:
    client = attach("trades")
    [topic, *_] = topics_read(streaming, "trades")
    publish(streaming, topic, [message("trades", 1, after(0) + DAY_NS, after(0))])
    shows(client, "SELECT count() FROM md_trades", [(1,)])


def test_a_receive_time_that_no_clock_shows_is_refused(streaming: Settings, line: Client) -> None:
    for dataset in DATASETS:
        publish(streaming, topics_read(streaming, dataset)[0], [message(dataset, 1, after(0), 42 * 10**17)])
    shows(line, "SELECT uniqExact(_topic), count() FROM md_dead_letter", [(len(DATASETS), len(DATASETS))])


def test_a_time_in_ns_that_no_clock_shows_stops_nothing(streaming: Settings, attach: Attach) -> None:
    datasets = ("books", "quotes", "trades")
    client = attach(*datasets)
    for dataset in datasets:
        strange = message(dataset, 1, after(0)) | {"venue_ns": 2**63 - 1}
        publish(streaming, topics_read(streaming, dataset)[0], [strange, message(dataset, 2, after(1))])
    for dataset in datasets:
        shows(client, f"SELECT count() FROM {TABLES[dataset]}", [(2,)])
