"""Published files reach the tables once, beside what was collected live, through Dagster on the real engine."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.events import OpenInterest
from mdplatform.core.session import Request
from mdplatform.core.symbols import Instruments
from mdplatform.defs.history.assets import history, judge
from mdplatform.defs.history.datasets import CHECKS, SOURCES, VOLUME
from mdplatform.defs.resources import Platform
from mdplatform.history.files import Kind, Period, month_of
from mdplatform.history.layout import HistoryFile
from mdplatform.venues import venue
from mdplatform_tests.history.published import Archive, served
from mdplatform_tests.warehouse.rows import put_trades

DAY = date(2025, 3, 31)
NEXT = DAY + timedelta(days=1)
MIDNIGHT = datetime(2025, 3, 31, tzinfo=UTC)
START_MS = round(MIDNIGHT.timestamp() * 1000)
PERP, SPOT = "binance-usdm", "binance"
METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
)


def file(kind: Kind, venue: str = SPOT, day: date = DAY, name: str = "BTCUSDT") -> HistoryFile:
    return HistoryFile(venue, kind, name, Period((day,)))


def trades(day: date = DAY, first: int = 100) -> list[str]:
    """Three trades a minute in the first two minutes; ids from ``first``."""
    start = START_MS + (day - DAY).days * 86_400_000
    at = [start + minute * 60_000 + second * 1000 for minute in (0, 1) for second in (1, 2, 3)]
    return [f"{first + n},{100 + n},0.5,50,{ms}123,{n % 2 == 0},True" for n, ms in enumerate(at)]


def klines(volume: str = "1.5", count: int = 3) -> list[str]:
    rows = []
    for minute in (0, 1):
        start, low = START_MS + minute * 60_000, 100 + 3 * minute
        rows.append(f"{start}000,{low},{low + 2},{low},{low + 2},{volume},{start + 59_999}999,150,{count},0.5,50,0")
    return rows


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with served(tmp_path / "published") as archive:
        yield archive


@pytest.fixture
def loading(platform: Platform, archive: Archive) -> Platform:
    """The platform that loads one pair from ``archive``."""
    urls = f"{SPOT}={archive.url};{PERP}={archive.url}"
    return wanting(
        Platform(overrides={**platform.overrides, "MDPLATFORM_HISTORY_URLS": urls}), "binance:BTC-USDT=BTCUSDT"
    )


def wanting(platform: Platform, history: str) -> Platform:
    return Platform(overrides={**platform.overrides, "MDPLATFORM_HISTORY": history})


def load(
    platform: Platform,
    instance: dg.DagsterInstance,
    *assets: str,
    last: date = DAY,
    first: date = DAY,
    again: bool = False,
) -> dg.ExecuteInProcessResult:
    job = dg.Definitions(
        assets=[history, *SOURCES],
        jobs=[dg.define_asset_job("load", selection=list(assets) or [*history.keys])],
        resources={"platform": platform},
    ).resolve_job_def("load")
    return job.execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={"ops": {"history": {"config": {"again": again}}}},
        tags={
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": last.isoformat(),
        },
    )


def loaded(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str | None], Any]:
    """Rows by asset and day, as the materializations say."""
    return {
        (event.asset_key.to_user_string(), event.partition): event.metadata["dagster/partition_row_count"].value
        for event in result.asset_materializations_for_node("history")
    }


def failure(result: dg.ExecuteInProcessResult) -> str:
    data = result.failure_data_for_node("history")
    assert data is not None
    return str(data.user_failure_data or data.error)


def select(client: Client, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(sql).result_rows]


def test_a_day_of_each_dataset_reaches_its_table(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    loading = wanting(loading, "binance:BTC-USDT=BTCUSDT;binance-usdm:BTC-USDT-PERP=BTCUSDT")
    archive.publish(file("trades"), trades())
    archive.publish(file("aggTrades"), [f"7,100,0.5,100,102,{START_MS}001,True,True"])
    archive.publish(file("aggTrades", PERP), [f"9,100,0.5,100,102,{START_MS},true"])
    archive.publish(file("klines"), klines())
    archive.publish(file("bookDepth", PERP), ["2025-03-31 00:00:07,-1,10,1000"], "timestamp,percentage,depth,notional")
    archive.publish(file("metrics", PERP), ["2025-03-31 00:05:00,BTCUSDT,1,2,3,4,5,6"], METRICS)
    result = load(loading, instance)  # there are no files of funding and quotes: no fault
    assert result.success
    names = ("trades_history", "agg_trades_history", "klines_history", "book_depth_history", "open_interest_history")
    assert loaded(result) == dict(zip(((name, str(DAY)) for name in names), (7, 2, 2, 1, 1), strict=True))
    stored = select(warehouse, "SELECT exchange, count(), any(provenance) FROM md_trades GROUP BY exchange ORDER BY 1")
    assert stored == [(SPOT, 6, "archive"), (PERP, 1, "archive")]
    assert select(warehouse, "SELECT symbol, depth FROM md_book_depth_history") == [("BTC-USDT-PERP", 10.0)]


def test_live_and_published_rows_of_a_trade_are_one(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    at = START_MS * 1_000_000 + 1_000_123_000
    put_trades(warehouse, {"at": at, "id": "100", "qty": 0.5}, {"at": at, "id": "99"})
    archive.publish(file("trades"), trades())
    assert load(loading, instance, "trades_history").success
    rows = select(warehouse, "SELECT id, provenance FROM md_trades ORDER BY toUInt64(id)")
    assert rows == [("99", "live"), ("100", "live"), *((str(n), "archive") for n in range(101, 106))]


def test_loading_a_day_again_fetches_and_changes_nothing(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    archive.publish(file("trades"), trades())
    load(loading, instance, "trades_history")
    before = select(warehouse, "SELECT * FROM md_trades ORDER BY id")
    result = load(loading, instance, "trades_history")
    assert loaded(result) == {("trades_history", str(DAY)): 6}
    assert archive.asked() == [file("trades").path]
    assert select(warehouse, "SELECT * FROM md_trades ORDER BY id") == before


def test_lost_rows_come_back_when_it_is_asked_for(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    archive.publish(file("trades"), trades())
    load(loading, instance, "trades_history")
    warehouse.command("TRUNCATE TABLE md_trades_store")
    load(loading, instance, "trades_history", again=True)
    assert select(warehouse, "SELECT count() FROM md_trades") == [(6,)]


def test_a_file_that_is_published_again_replaces_its_rows(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    archive.publish(file("trades"), trades())
    load(loading, instance, "trades_history")
    archive.publish(file("trades"), [row.replace(",0.5,", ",0.7,") for row in trades()[:5]])
    load(loading, instance, "trades_history")
    assert select(warehouse, "SELECT count(), min(qty), max(qty) FROM md_trades") == [(5, 0.7, 0.7)]


def test_a_corrupt_file_loads_nothing_and_its_day_is_named_while_others_are_loaded(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    path = archive.publish(file("trades"), trades())
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    archive.publish(file("trades", day=NEXT), trades(NEXT, first=200))
    result = load(loading, instance, "trades_history", last=NEXT)
    assert loaded(result) == {("trades_history", str(NEXT)): 6}
    assert f"{file('trades').path} has sha256" in failure(result)
    assert select(warehouse, "SELECT min(id) FROM md_trades") == [("200",)]


def test_a_day_that_is_not_published_is_named_and_stays_open(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    archive.publish(file("trades"), trades())
    result = load(loading, instance, "trades_history", last=NEXT)
    assert loaded(result) == {("trades_history", str(DAY)): 6}
    assert f"the venue has not published {file('trades', day=NEXT).path}" in failure(result)


def test_a_day_of_which_one_symbol_is_not_published_says_so(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    loading = wanting(loading, "binance:BTC-USDT=BTCUSDT,NEW-USDT=NEWUSDT")
    archive.publish(file("trades"), trades())
    result = load(loading, instance, "trades_history")
    assert result.success
    (event,) = result.asset_materializations_for_node("history")
    assert event.metadata["not_published"].value == file("trades", name="NEWUSDT").path


def test_a_whole_month_is_loaded_from_one_file_and_said_by_day(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    days = month_of(DAY)
    month = HistoryFile(SPOT, "trades", "BTCUSDT", Period(days, monthly=True))
    archive.publish(month, trades(days[0]) + trades(DAY, first=200))
    result = load(loading, instance, "trades_history", first=days[0], last=DAY)
    assert result.success
    rows = loaded(result)
    assert len(rows) == 31
    assert {day: n for (_, day), n in rows.items() if n} == {str(days[0]): 6, str(DAY): 6}
    assert archive.asked() == [month.path]


def test_a_month_that_is_not_published_yet_is_loaded_by_its_days(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    days = month_of(DAY)
    for n, day in enumerate(days):
        archive.publish(file("klines", day=day), [f"{START_MS - (30 - n) * 86_400_000}000,1,1,1,1,1,0,1,1,1,1,0"])
    assert load(loading, instance, "klines_history", first=days[0], last=DAY).success
    assert select(warehouse, "SELECT count(), uniqExact(toDate(timestamp)) FROM md_klines") == [(31, 31)]


def test_the_venues_name_of_a_symbol_comes_from_its_list(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    loading = wanting(loading, "binance:BTC-USDT")
    archive.publish(file("trades"), trades())
    assert "md_instruments has 0 instruments BTC-USDT of binance" in failure(load(loading, instance, "trades_history"))
    columns = ["exchange", "symbol", "venue_symbol", "base", "quote", "kind", "version"]
    warehouse.insert("md_instruments_store", [[SPOT, "BTC-USDT", "BTCUSDT", "BTC", "USDT", "spot", 1]], columns)
    assert load(loading, instance, "trades_history").success


def test_klines_agree_with_the_trades_of_the_same_minutes(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    archive.publish(file("trades"), trades())
    archive.publish(file("klines"), klines())
    loaded = ("trades_history", "klines_history")
    result = load(loading, instance, *loaded)
    found = {each.check_name: (each.passed, each.partition) for each in result.get_asset_check_evaluations()}
    assert found == {check.spec.name: (True, str(DAY)) for check in CHECKS if check.spec.asset_key.path[-1] in loaded}


@pytest.mark.parametrize(
    ("rows", "bad"),
    [
        (klines(volume="1.50001"), 2),  # 7 ppm
        (klines(count=4), 2),
        ([klines()[0], klines()[1].replace(",105,", ",105.1,", 1)], 1),  # its high
        (klines()[:1], 1),  # trades in a minute without a kline
        ([*klines(), f"{START_MS + 120_000}000,1,1,1,1,1,{START_MS + 179_999}999,1,1,1,1,0"], 1),  # the other way round
    ],
)
def test_a_minute_that_does_not_add_up_is_named(
    warehouse: Client,
    loading: Platform,
    archive: Archive,
    instance: dg.DagsterInstance,
    rows: list[str],
    bad: int,
) -> None:
    archive.publish(file("trades"), trades())
    archive.publish(file("klines"), rows)
    load(loading, instance, "trades_history", "klines_history")
    evaluation = judge(warehouse, VOLUME, DAY)
    assert not evaluation.passed
    assert evaluation.metadata["bad_rows"].value == bad
    assert "BTC-USDT" in str(evaluation.metadata["first_rows"].value)


def test_a_minute_without_trades_agrees_with_an_empty_kline(warehouse: Client) -> None:
    put_trades(warehouse, {"at": (START_MS + 61_000) * 1_000_000, "id": "5", "price": 10.0, "qty": 2.0})
    columns = ["exchange", "symbol", "interval", "timestamp", "open", "high", "low", "close", "volume", "trades"]
    rows = [
        [SPOT, "BTC-USDT", "1m", MIDNIGHT, 9.0, 9.0, 9.0, 9.0, 0.0, 0],
        [SPOT, "BTC-USDT", "1m", MIDNIGHT + timedelta(minutes=1), 10.0, 10.0, 10.0, 10.0, 2.0, 1],
    ]
    warehouse.insert("md_klines_store", rows, columns)
    assert judge(warehouse, VOLUME, DAY).passed


def test_open_interest_by_rest_is_that_of_the_published_metrics(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    """By the venue's own session, from answers as documented, at the times of the file's rows."""
    loading = wanting(loading, "binance-usdm:BTC-USDT-PERP=BTCUSDT")
    usdm = venue(PERP)
    (instrument,) = [one for one in usdm.known_instruments() if one.symbol == "BTC-USDT-PERP"]
    session = usdm.plan_connections(Instruments(PERP, [instrument]), ("openInterest.rest",))[0].session
    request, stated = (
        Request("/fapi/v1/openInterest?symbol=BTCUSDT", symbol=instrument.symbol, purpose="open_interest"),
        [],
    )
    sums = ("80123.5", "80150.25", "79999.001")
    for n, size in enumerate(sums):
        at = START_MS + n * 300_000
        body = f'{{"openInterest":"{size}","symbol":"BTCUSDT","time":{at}}}'.encode()
        stated += [o for o in session.answer(request, 200, body, at * 10**6) if isinstance(o, OpenInterest)]
    rows = [f"2025-03-31 00:{5 * n:02}:00,BTCUSDT,{size},7000000000,1,1,1,1" for n, size in enumerate(sums)]
    archive.publish(file("metrics", PERP), rows, METRICS)
    result = load(loading, instance, "open_interest_history")
    assert loaded(result) == {("open_interest_history", str(DAY)): 3}
    sql = "SELECT toUnixTimestamp64Milli(timestamp), open_interest FROM md_open_interest_history"
    assert [(event.venue_ns // 10**6, float(event.open_interest)) for event in stated] == select(warehouse, sql)


def test_funding_of_a_month_is_loaded_for_any_of_its_days_and_a_month_without_a_file_is_no_fault(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    loading = wanting(loading, "binance-usdm:BTC-USDT-PERP=BTCUSDT")
    month = HistoryFile(PERP, "fundingRate", "BTCUSDT", Period((DAY,), monthly=True))
    header, day_ms = "calc_time,funding_interval_hours,last_funding_rate", 86_400_000
    archive.publish(month, [f"{START_MS - 3 * day_ms},8,0.0001", f"{START_MS + 1},8,-0.0002"], header)
    result = load(loading, instance, "funding_history", last=NEXT)  # a day of April, too
    assert result.success
    assert loaded(result) == {("funding_history", str(DAY)): 1}
    rows = select(warehouse, "SELECT toDate(timestamp), rate, interval_hours FROM md_funding_history ORDER BY 1")
    assert rows == [(DAY - timedelta(days=3), 0.0001, 8), (DAY, -0.0002, 8)]


def test_published_quotes_stand_beside_those_collected_live(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    loading = wanting(loading, "binance-usdm:BTC-USDT-PERP=BTCUSDT")
    at = MIDNIGHT + timedelta(seconds=1)
    columns = ["exchange", "symbol", "bid_price", "bid_size", "ask_price", "ask_size", "sequence", "timestamp"]
    live = [PERP, "BTC-USDT-PERP", 9.0, 1.0, 10.0, 1.0, 5, at, at, at + timedelta(milliseconds=2)]
    warehouse.insert("md_quotes_store", [live], [*columns, "venue_time", "received_at"])
    header = "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time"
    rows = [f"{n},9,1,10,1,{START_MS + 990},{START_MS + 1000 * (n - 4)}" for n in (5, 6)]
    archive.publish(file("bookTicker", PERP), rows, header)
    for again in (False, True):
        assert load(loading, instance, "quotes_history", again=again).success
        found = select(warehouse, "SELECT sequence, bid_price, provenance FROM md_quotes ORDER BY sequence")
        assert found == [(5, 9.0, "live"), (6, 9.0, "archive")]


def test_kucoins_contracts_are_loaded_in_base_units_under_the_archives_own_name(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    overrides = {**loading.overrides, "MDPLATFORM_HISTORY_URLS": f"kucoin={archive.url}"}
    loading = wanting(Platform(overrides=overrides), "kucoin:BTC-USDT-PERP")
    columns = ["exchange", "symbol", "venue_symbol", "base", "quote", "kind", "contract_size", "version"]
    listed = ["kucoin", "BTC-USDT-PERP", "XBTUSDTM", "BTC", "USDT", "perpetual", 0.001, 1]
    warehouse.insert("md_instruments_store", [listed], columns)
    contracts = HistoryFile("kucoin", "trades", "XBTUSDTM", Period((DAY,)), "BTC-USDT-PERP")
    assert contracts.path == "data/futures/daily/trades/BTCUSDTM/BTCUSDTM-trades-2025-03-31.zip"
    archive.publish(contracts, [f"1749781187484,{START_MS + 5},62932.6,7,sell"], "trade_id,trade_time,price,size,side")
    assert load(loading, instance, "trades_history").success
    rows = select(warehouse, "SELECT symbol, id, side, price, qty, raw_size FROM md_trades")
    assert rows == [("BTC-USDT-PERP", "1749781187484", "sell", 62932.6, 0.007, 7.0)]


def test_what_a_contract_is_worth_must_be_known(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    loading = wanting(loading, "okx:ZZZ-USDT-PERP=ZZZ-USDT-SWAP")
    assert "what a contract of ZZZ-USDT-PERP at okx is worth is not known" in failure(
        load(loading, instance, "trades_history")
    )
