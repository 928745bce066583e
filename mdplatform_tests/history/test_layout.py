"""Paths as documented, and as few files as hold the days."""

from datetime import date, timedelta

import pytest

from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform.history.files import Kind, Period, month_of, periods
from mdplatform.history.layout import HistoryFile, published
from mdplatform.history.wanted import Wanted, base_url, wanted

DAY = Period((date(2025, 1, 1),))
MONTH = Period(month_of(date(2024, 2, 10)), monthly=True)


@pytest.mark.parametrize(
    ("venue", "kind", "period", "path"),
    [
        ("binance", "trades", DAY, "data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2025-01-01.zip"),
        ("binance", "aggTrades", MONTH, "data/spot/monthly/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-02.zip"),
        ("binance", "klines", DAY, "data/spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2025-01-01.zip"),
        ("binance-usdm", "klines", MONTH, "data/futures/um/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-02.zip"),
        ("binance-usdm", "bookDepth", DAY, "data/futures/um/daily/bookDepth/BTCUSDT/BTCUSDT-bookDepth-2025-01-01.zip"),
        ("binance-coinm", "metrics", DAY, "data/futures/cm/daily/metrics/BTCUSDT/BTCUSDT-metrics-2025-01-01.zip"),
        (
            "binance-usdm",
            "fundingRate",
            MONTH,
            "data/futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2024-02.zip",
        ),
    ],
)
def test_a_file_is_where_the_venue_says(venue: str, kind: Kind, period: Period, path: str) -> None:
    assert HistoryFile(venue, kind, "BTCUSDT", period).path == path


@pytest.mark.parametrize(
    ("kind", "symbol", "path"),
    [
        ("trades", "BTC-USDT-PERP", "trading/BTCUSDT/BTCUSDT2025-01-01.csv.gz"),
        ("ob500", "BTC-USDT-PERP", "orderbook/linear/BTCUSDT/2025-01-01_BTCUSDT_ob500.data.zip"),
        ("ob200", "BTC-USDT", "orderbook/spot/BTCUSDT/2025-01-01_BTCUSDT_ob200.data.zip"),
    ],
)
def test_a_file_of_bybit_is_where_the_venue_says(kind: Kind, symbol: str, path: str) -> None:
    assert HistoryFile("bybit", kind, "BTCUSDT", DAY, symbol).path == path


@pytest.mark.parametrize(
    ("symbol", "trades", "books"),
    [
        ("BTC-USDT-PERP", ("trades",), ("ob500", "ob200")),
        ("BTC-USDT", (), ("ob500", "ob200")),  # ids that begin again each day are not those of the live trades
        ("BTC-USD-PERP", (), ()),  # sizes in contracts
    ],
)
def test_of_bybit_only_files_that_fit_the_tables_are_taken(
    symbol: str, trades: tuple[Kind, ...], books: tuple[Kind, ...]
) -> None:
    assert (published("bybit", symbol, None), published("bybit", symbol, "ob500")) == (trades, books)


def test_a_whole_month_is_one_file_and_the_rest_are_days() -> None:
    days = [date(2024, 1, 31) + timedelta(days=n) for n in range(31)]  # to the first of March
    assert [str(period) for period in periods(days, has_months=True)] == ["2024-01-31", "2024-02", "2024-03-01"]


def test_depth_is_published_by_the_day_only() -> None:
    assert len(list(periods(month_of(date(2024, 2, 1)), has_months=False))) == 29


def test_files_of_whole_months_only_are_taken_for_any_of_their_days() -> None:
    days = [date(2024, 1, 30), date(2024, 1, 31), date(2024, 2, 1)]
    asked = list(periods(days, has_months=True, has_days=False))
    assert [(str(period), len(period.days)) for period in asked] == [("2024-01", 2), ("2024-02", 1)]
    assert asked[0].begin.date() == date(2024, 1, 1)


def test_what_is_collected_is_wanted_where_nothing_is_said() -> None:
    settings = Settings(ingest="binance:BTC-USDT,ETH-USDT:trades;gate:BTC-USDT;binance-usdm:BTC-USDT-PERP")
    assert [(one.venue, one.symbol) for one in wanted(settings)] == [
        ("binance", "BTC-USDT"),
        ("binance", "ETH-USDT"),
        ("binance-usdm", "BTC-USDT-PERP"),
    ]


def test_the_venues_own_name_can_be_given() -> None:
    settings = Settings(history="binance:LUNA-USDT=LUNAUSDT, BTC-USDT; binance-usdm:BTC-USDT-PERP")
    assert wanted(settings) == [
        Wanted("binance", "LUNA-USDT", "LUNAUSDT"),
        Wanted("binance", "BTC-USDT"),
        Wanted("binance-usdm", "BTC-USDT-PERP"),
    ]


@pytest.mark.parametrize("text", ["gate:BTC-USDT", "binance", "binance:", "binance:A=", "binance:=A"])
def test_what_cannot_be_loaded_is_refused_with_its_part(text: str) -> None:
    with pytest.raises(ConfigError, match=text.partition(":")[0]):
        wanted(Settings(history=text))


def test_the_base_address_is_a_setting() -> None:
    settings = Settings(history_urls="binance=http://mirror/binance/")
    assert base_url(settings, HistoryFile("binance", "trades", "BTCUSDT", DAY)) == "http://mirror/binance"
    assert base_url(settings, HistoryFile("binance-usdm", "klines", "BTCUSDT", DAY)) == "https://data.binance.vision"
    assert base_url(settings, HistoryFile("bybit", "trades", "BTCUSDT", DAY)) == "https://public.bybit.com"
    assert base_url(settings, HistoryFile("bybit", "ob500", "BTCUSDT", DAY)) == "https://quote-saver.bycsi.com"
