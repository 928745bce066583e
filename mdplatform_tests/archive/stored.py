"""An hour of every dataset in the warehouse, made by the engine: two symbols, some columns null."""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

from mdplatform.archive.datasets import DATASETS
from mdplatform_tests.warehouse.rows import HOUR

EXCHANGE = "okx"

_COMMON = """
    'okx' AS exchange, if(number % 3 = 0, 'ETH-USDT-PERP', 'BTC-USDT') AS symbol,
    fromUnixTimestamp64Nano({start:Int64} + toInt64(number) * 1234567891, 'UTC') AS venue_time,
    toDateTime64(venue_time, 3, 'UTC') AS timestamp, venue_time + INTERVAL 77 MILLISECOND AS received_at,
    'topic' AS _topic, number % 2 AS _partition, number + 5 AS _offset"""
_BEST = """
    60000 + number / 100 AS bid_price, number / 7 AS bid_size, bid_price + 0.01 AS ask_price, 1.5 AS ask_size,
    1000 + number AS sequence"""
_SIDES = """
    [60000.1, 60000 - number / 10] AS b, [number / 3, 2.] AS bv, if(number % 5 = 0, [], [60001.]) AS a,
    arrayMap(x -> x / 7, a) AS av, if(number % 2, [], [number / 30, 0.2]) AS raw_bv, raw_bv AS raw_av,
    if(number % 3, NULL, number / 11) AS bid_depth_10bps, if(number % 4, NULL, 7.5) AS ask_depth_10bps,
    1000 + number AS sequence, if(number = 0, NULL, 999 + number) AS previous_sequence"""
_CHANGES = """
    if(number % 5, 'update', 'snapshot') AS kind, [60000.1, 60000 - number / 10] AS b, [number / 3, 0.] AS bv,
    if(number % 5 = 0, [], [60001.]) AS a, arrayMap(x -> x / 7, a) AS av,
    if(number % 3, NULL, 990 + number) AS first_sequence, 1000 + number AS sequence,
    if(number = 0, NULL, 999 + number) AS previous_sequence, if(number % 2, 'live', 'archive') AS provenance"""
_EVENT = """
    toString(number) AS id, 100 / (number + 1) AS price, number / 9 AS qty,
    if(number % 2, NULL, number / 90) AS raw_size, if(number % 2, 'buy', 'sell') AS side"""
_MATCHES = "if(number % 4, NULL, toString(number / 2)) AS first_id, if(number % 4, NULL, number + 1) AS count"
_RATES = """
    if(number % 4 = 0, NULL, number / 1e5) AS rate, 60000.5 AS mark_price, NULL AS index_price,
    if(number % 3 = 0, NULL, timestamp + INTERVAL 8 HOUR) AS next_funding_at"""
_INTEREST = """
    1000 + number / 7 AS open_interest, if(number % 4, NULL, number / 3) AS open_interest_value,
    if(number % 3, NULL, number + 5) AS raw_open_interest"""
_PRICE = "60000 + number / 7 AS price"
_OPTION = """
    0.0125 AS mark_price, number / 30 AS mark_iv, NULL AS bid_iv, if(number % 3, NULL, 0.7) AS ask_iv,
    NULL AS bid_price, 0.013 AS ask_price, if(number % 4, NULL, 0.012) AS last_price, -number / 40 AS delta,
    1e-5 AS gamma, 100.5 AS vega, -70.25 AS theta, number / 3 AS rho,
    if(number % 2, NULL, 'SYN.BTC-25DEC26') AS underlying, 64000.5 AS underlying_price, number / 7 AS open_interest"""
# Every third begins before the hour and every fifth ends after it.
_INTERVAL = """
    'okx' AS exchange, 'BTC-USDT' AS symbol, 'book' AS channel, if(number % 2, 'valid', 'gap') AS state,
    ['A', 'B'][number % 2 + 1] AS collector, if(number % 2, '', 'sequence') AS cause,
    toUInt64({start:Int64} + toInt64(number) * 60000000007 - if(number % 3 = 0, 4000000000000, 0)) AS started_ns,
    multiIf(number = 1, NULL, number % 5 = 0, toUInt64({start:Int64} + 3700000000000),
        toUInt64({start:Int64} + toInt64(number) * 60000000007 + 5)) AS ended_ns,
    fromUnixTimestamp64Nano(toInt64(started_ns), 'UTC') AS started_at,
    fromUnixTimestamp64Nano(CAST(ended_ns, 'Nullable(Int64)'), 'UTC') AS ended_at,
    if(number % 2, NULL, number) AS first_sequence, number + 3 AS last_sequence, NULL AS missed,
    'topic' AS _topic, 0 AS _partition, number AS _offset"""
_HOURLY = """
    fromUnixTimestamp64Nano({start:Int64}, 'UTC') AS hour, 'okx' AS exchange, 'S' || toString(number) AS symbol,
    number AS updates, 1 / (number + 1) AS coverage, if(number = 2, NULL, 0.01) AS spread, number / 3 AS mid_open,
    -0.25 AS order_flow_imbalance"""
_ROWS = {
    "books": _COMMON + "," + _SIDES,
    "top_of_book": _COMMON + "," + _BEST,
    "increments": _COMMON + "," + _CHANGES,
    "quotes": _COMMON + "," + _BEST + ", if(number % 2, NULL, 3.5) AS raw_bid_size, NULL AS raw_ask_size",
    "trades": _COMMON + "," + _EVENT + ", 'live' AS provenance, " + _MATCHES,
    "liquidations": _COMMON + "," + _EVENT,
    "funding": _COMMON + "," + _RATES,
    "open_interest": _COMMON + "," + _INTEREST,
    "index": _COMMON + "," + _PRICE,
    "options": _COMMON + "," + _OPTION,
    "spreads": _HOURLY,
    "statuses": _INTERVAL,
}


def fill(client: Client, rows: int = 20, seed: int = 0, *names: str) -> None:
    """Insert the hour, in an order that depends on ``seed``, in two pieces that overlap. ``names``: only these."""
    start = int(HOUR.timestamp()) * 10**9
    for name in names or DATASETS:
        table, columns = DATASETS[name].stored_in, _ROWS[name]
        for piece in ("number % 3 < 2", "number % 3 > 0"):
            client.command(
                f"INSERT INTO {table} ({_names(columns)}) SELECT {_names(columns)} FROM "
                f"(SELECT number, {columns} FROM numbers({rows}) WHERE {piece}) ORDER BY cityHash64(number, {seed})",
                parameters={"start": start},
            )


def _names(columns: str) -> str:
    """What follows each AS, in order."""
    import re

    return ", ".join(re.findall(r"\bAS (\w+)", columns))
