"""Every documented form of a file gives the same rows."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mdplatform.core.errors import ArchiveError
from mdplatform.core.symbols import Instrument
from mdplatform.core.symbols import Kind as InstrumentKind
from mdplatform.history.files import Kind, Period, month_of
from mdplatform.history.layout import HistoryFile
from mdplatform.history.rows import batches, rows_by_day
from mdplatform_tests.history.published import zipped

DAY = date(2025, 1, 1)
AT_MS = 1735689601234
AT = datetime(2025, 1, 1, 0, 0, 1, 234000, tzinfo=UTC)
UM_TRADES = "id,price,qty,quote_qty,time,is_buyer_maker"
UM_AGG = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
UM_KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
UM_DEPTH = "timestamp,percentage,depth,notional"


SPOT_PAIR = Instrument(exchange="binance", venue_symbol="BTCUSDT", base="BTC", quote="USDT")
COIN_PERP = Instrument(
    exchange="binance-coinm",
    venue_symbol="BTCUSD_PERP",
    base="BTC",
    quote="USD",
    kind=InstrumentKind.PERPETUAL,
    contract_size="100",
    inverse=True,
)


def read(
    tmp_path: Path,
    venue: str,
    kind: Kind,
    rows: list[str],
    header: str | None = None,
    monthly: bool = False,
    as_trades: bool = False,
) -> pa.Table:
    file = HistoryFile(venue, kind, "BTCUSDT", Period(month_of(DAY), True) if monthly else Period((DAY,)))
    path = tmp_path / file.name
    path.write_bytes(zipped(file, rows, header))
    return pa.concat_tables(
        batches(path, file, file.path, COIN_PERP if venue == "binance-coinm" else SPOT_PAIR, as_trades)
    )


def first(table: pa.Table) -> dict[str, Any]:
    row: dict[str, Any] = table.slice(0, 1).to_pylist()[0]
    return row


TRADE = {"exchange": "binance", "symbol": "BTC-USDT", "id": "42", "price": 93576.01, "qty": 0.00123, "side": "sell"}
TRADE |= {"timestamp": AT, "provenance": "archive"}


@pytest.mark.parametrize("at", [f"{AT_MS}", f"{AT_MS}567"])
@pytest.mark.parametrize("header", [None, "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match"])
def test_spot_trades_read_with_and_without_header_in_ms_and_us(tmp_path: Path, at: str, header: str | None) -> None:
    row = first(read(tmp_path, "binance", "trades", [f"42,93576.01,0.00123,115.09,{at},True,True"], header))
    assert row.items() >= TRADE.items()
    assert row["venue_time"].value // 1000 == int(at.ljust(16, "0"))


@pytest.mark.parametrize("header", [None, UM_TRADES])
def test_futures_trades_read_with_and_without_header(tmp_path: Path, header: str | None) -> None:
    rows = [f"42,93576.01,0.00123,115.09,{AT_MS},true"]
    assert first(read(tmp_path, "binance-usdm", "trades", rows, header))["side"] == "sell"


def test_a_header_with_a_new_column_in_the_middle_is_read_by_name(tmp_path: Path) -> None:
    header = UM_TRADES.replace("qty,quote", "qty,isRPITrade,quote")
    row = first(read(tmp_path, "binance-usdm", "trades", [f"42,93576.01,0.00123,false,115.09,{AT_MS},false"], header))
    assert (row["qty"], row["side"], row["timestamp"]) == (0.00123, "buy", AT)


@pytest.mark.parametrize(
    ("venue", "header", "row"),
    [
        ("binance", None, f"7,100.5,2,40,42,{AT_MS}000,True,True"),
        ("binance-usdm", UM_AGG, f"7,100.5,2,40,42,{AT_MS},true"),
        ("binance-usdm", None, f"7,100.5,2,40,42,{AT_MS},true"),
    ],
)
def test_aggregated_trades_keep_the_ids_of_their_fills(
    tmp_path: Path, venue: str, header: str | None, row: str
) -> None:
    read_row = first(read(tmp_path, venue, "aggTrades", [row], header))
    wanted = {"id": 7, "first_id": 40, "last_id": 42, "price": 100.5, "qty": 2.0, "side": "sell", "timestamp": AT}
    assert read_row.items() >= wanted.items()


@pytest.mark.parametrize(
    ("venue", "header", "unit"), [("binance", None, "000"), ("binance", None, ""), ("binance-usdm", UM_KLINES, "")]
)
def test_klines_read_in_every_form(tmp_path: Path, venue: str, header: str | None, unit: str) -> None:
    end = "1735689659999" + ("999" if unit else "")
    rows = [f"1735689600000{unit},1.0,4.0,0.5,2.0,10.5,{end},21.0,17,6.5,13.0,0"]
    wanted = {
        "interval": "1m",
        "timestamp": datetime(2025, 1, 1, tzinfo=UTC),
        "close_time": datetime(2025, 1, 1, 0, 0, 59, 999000, tzinfo=UTC),
        "open": 1.0,
        "high": 4.0,
        "low": 0.5,
        "close": 2.0,
        "volume": 10.5,
        "quote_volume": 21.0,
        "trades": 17,
        "taker_buy_volume": 6.5,
        "taker_buy_quote_volume": 13.0,
    }
    assert first(read(tmp_path, venue, "klines", rows, header)).items() >= wanted.items()


@pytest.mark.parametrize("header", [None, UM_DEPTH])
def test_depth_reads_with_and_without_header(tmp_path: Path, header: str | None) -> None:
    rows = ["2025-01-01 00:00:07,-5,6200.25,570000000.5", "2025-01-01 00:00:07,0.2,100,9000000"]
    table = read(tmp_path, "binance-usdm", "bookDepth", rows, header)
    assert table.num_rows == 2
    wanted = {"timestamp": datetime(2025, 1, 1, 0, 0, 7, tzinfo=UTC), "percentage": -5.0, "depth": 6200.25}
    assert first(table).items() >= wanted.items()


def test_rows_of_a_month_are_counted_by_day(tmp_path: Path) -> None:
    # Not in order: some published files are not.
    rows = [f"{n},1,1,1,{AT_MS + day * 86_400_000},True,True" for n, day in enumerate((3, 0, 3))]
    table = read(tmp_path, "binance", "trades", rows, monthly=True)
    assert rows_by_day(table) == {"2025-01-04": 2, "2025-01-01": 1}


@pytest.mark.parametrize(
    ("row", "header", "told"),
    [
        (f"1,1,1,1,{AT_MS}000000,True,True", None, "far from 2025-01-01"),
        ("1,1,1,1,1735689,True,True", None, "another unit"),
        ("1,1,1", None, "3 columns"),
        (f"1,x,1,1,{AT_MS},True,True", None, "does not read as documented"),
        (f"1,1,1,{AT_MS},True", "id,price,qty,time,maker_side", "no is_buyer_maker"),
    ],
)
def test_a_file_that_does_not_read_as_documented_is_refused_by_name(
    tmp_path: Path, row: str, header: str | None, told: str
) -> None:
    with pytest.raises(ArchiveError, match=told) as refused:
        read(tmp_path, "binance", "trades", [row], header)
    assert "BTCUSDT-trades-2025-01-01.zip" in str(refused.value)


def test_futures_trades_that_are_all_sold_by_the_taker_are_refused(tmp_path: Path) -> None:
    rows = [f"{n},1,1,1,{AT_MS},true" for n in range(1001)]
    with pytest.raises(ArchiveError, match="aggTrades"):
        read(tmp_path, "binance-usdm", "trades", rows, UM_TRADES)
    assert read(tmp_path, "binance-usdm", "trades", [*rows, f"1001,1,1,1,{AT_MS},false"], UM_TRADES).num_rows == 1002


METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
)


@pytest.mark.parametrize("header", [None, METRICS])
def test_metrics_are_open_interest_and_ratios_and_what_was_not_measured_is_null(
    tmp_path: Path, header: str | None
) -> None:
    rows = ['2025-01-01 00:05:00,BTCUSDT,80123.5,7498000000.25,1.5,"",2.25,0.75']
    row = first(read(tmp_path, "binance-usdm", "metrics", rows, header))
    assert row.items() >= {"open_interest": 80123.5, "open_interest_value": 7498000000.25}.items()
    assert row.items() >= {"top_trader_account_ratio": 1.5, "account_ratio": 2.25, "taker_volume_ratio": 0.75}.items()
    assert (row["top_trader_position_ratio"], row["raw_open_interest"]) == (None, None)
    assert row["timestamp"] == datetime(2025, 1, 1, 0, 5, tzinfo=UTC)


def test_metrics_of_coin_margined_contracts_are_in_base_units_with_the_contracts_beside(tmp_path: Path) -> None:
    rows = ["2025-01-01 00:05:00,BTCUSD_PERP,9500000,10152.5,1,1,1,1"]
    row = first(read(tmp_path, "binance-coinm", "metrics", rows, METRICS))
    wanted = {"open_interest": 10152.5, "open_interest_value": 950_000_000.0, "raw_open_interest": 9_500_000.0}
    assert row.items() >= wanted.items()


def test_trades_of_coin_margined_contracts_are_in_base_units_with_the_contracts_beside(tmp_path: Path) -> None:
    rows = [f"7,80000,8,40,42,{AT_MS},true"]
    row = first(read(tmp_path, "binance-coinm", "aggTrades", rows, UM_AGG, as_trades=True))
    assert row.items() >= {"id": "7", "price": 80000.0, "qty": 0.01, "raw_size": 8.0, "side": "sell"}.items()
    assert first(read(tmp_path, "binance-coinm", "aggTrades", rows, UM_AGG))["qty"] == 0.01


def test_klines_of_coin_margined_contracts_are_in_base_and_quote_units(tmp_path: Path) -> None:
    rows = ["1735689600000,80000,80000,80000,80000,16,1735689659999,0.02,2,8,0.01,0"]
    row = first(read(tmp_path, "binance-coinm", "klines", rows, UM_KLINES))
    volumes = ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume")
    assert [row[name] for name in volumes] == [0.02, 1600.0, 0.01, 800.0]


def test_funding_is_read_from_the_file_of_its_month(tmp_path: Path) -> None:
    header = "calc_time,funding_interval_hours,last_funding_rate"
    rows = ["1735689600004,8,0.00010000", "1735718400000,4,-0.00002500"]
    table = read(tmp_path, "binance-usdm", "fundingRate", rows, header, monthly=True)
    assert table.select(["rate", "interval_hours"]).to_pylist() == [
        {"rate": 0.0001, "interval_hours": 8},
        {"rate": -0.000025, "interval_hours": 4},
    ]


def test_quotes_have_the_number_of_their_book_and_an_empty_side_is_null(tmp_path: Path) -> None:
    header = "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time"
    rows = [f"9,93576.0,1.5,93576.1,2,{AT_MS - 3},{AT_MS}", f"10,0,0,93576.1,2,{AT_MS + 5},{AT_MS + 6}"]
    table = read(tmp_path, "binance-usdm", "bookTicker", rows, header)
    row = first(table)
    assert (
        row.items() >= {"sequence": 9, "bid_price": 93576.0, "bid_size": 1.5, "ask_size": 2.0, "timestamp": AT}.items()
    )
    empty = table.slice(1).to_pylist()[0]
    assert (empty["bid_price"], empty["bid_size"], empty["ask_price"]) == (None, None, 93576.1)
