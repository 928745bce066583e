"""An hour of everything that a dashboard shows, on two venues."""

from datetime import timedelta

from clickhouse_connect.driver.client import Client

from mdplatform.warehouse.rollups import build_spread_hourly, build_top_of_book_minute, build_trades_minute
from mdplatform_tests.archive.stored import EXCHANGE, fill
from mdplatform_tests.warehouse.rows import HOUR, after, put_status

OTHER = "binance"
SYMBOL = "BTC-USDT"
ENDS = HOUR + timedelta(hours=1)
_COPIED = ("top_of_book", "trades", "liquidations", "funding", "spread_hourly", "feed_status")
_STATS = """
INSERT INTO md_feed_stats_store
(exchange, conn, timestamp, symbols, frames, bytes, events, reconnects, gaps, queue, latency_p99_ms, venue_lag_ms)
SELECT ['okx', 'binance'][number % 2 + 1], 'A', fromUnixTimestamp64Milli({start:Int64} + 5000 * toInt64(number), 'UTC'),
    2, number * 10, number * 1000, number * 5, number, number, 3, 1.5, 40
FROM numbers(720)"""
_LETTERS = """
INSERT INTO md_dead_letter_store (exchange, reason, error, frame, timestamp, received_at, _offset)
SELECT ['', 'okx'][number + 1], 'malformed', 'not JSON', '{', fromUnixTimestamp64Milli({start:Int64} + 9, 'UTC') AS at,
    at, number
FROM numbers(2)"""
_SIGNALS = """
INSERT INTO md_signals_store (exchange, symbol, signal, id, direction, value, unit, timestamp)
SELECT 'okx', 'BTC-USDT', 'move', 'one', 'up', 0.7, '%', fromUnixTimestamp64Milli({start:Int64} + 9, 'UTC')"""
_FILES = (
    "INSERT INTO md_history_files_store (exchange, symbol, target, path, rows) VALUES ('okx', 'BTC-USDT', 't', 'p', 7)"
)


def put_everything(client: Client) -> None:
    fill(client)
    put_status(client, "gap", after(100), after(110), symbol="ETH-USDT")  # in nobody's valid time
    build_spread_hourly(client, HOUR)
    for name in _COPIED:
        client.command(
            f"INSERT INTO md_{name}_store SELECT * REPLACE ({{other:String}} AS exchange) FROM md_{name}_store",
            parameters={"other": OTHER},
        )
    for sql in (_STATS, _LETTERS, _SIGNALS, _FILES):
        client.command(sql, parameters={"start": int(HOUR.timestamp()) * 1000})
    build_trades_minute(client, HOUR)
    build_top_of_book_minute(client, HOUR)


VENUES = (EXCHANGE, OTHER)
