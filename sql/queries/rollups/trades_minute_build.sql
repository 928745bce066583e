-- One hour of md_trades_minute into the staging table. Trades of one moment are in the order of their ids: numbers by
-- value, others by text. One thread: sums of floats depend on their order. inserted_at is when this began, before any row was
-- read: what is stored later may be missing.
INSERT INTO md_trades_minute_staging
(minute, exchange, symbol, open, high, low, close, volume, quote_volume, buy_volume, trades, vwap, inserted_at)
WITH toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts, starts + INTERVAL 1 HOUR AS ends
SELECT
    minute, exchange, symbol,
    argMin(price, place) AS open, max(price) AS high, min(price) AS low, argMax(price, place) AS close,
    sum(qty) AS volume, sum(price * qty) AS quote_volume, sumIf(qty, side = 'buy') AS buy_volume,
    sum(matches) AS trades, if(volume > 0, quote_volume / volume, close) AS vwap,
    now64(3, 'UTC') AS inserted_at
FROM
(
    SELECT
        toStartOfMinute(timestamp, 'UTC') AS minute, exchange, symbol, price, qty, side, ifNull(count, 1) AS matches,
        (venue_time, toUInt64OrZero(id), id) AS place
    FROM
    (
        {{include counted_trades begin=starts end=ends}}
    )
    ORDER BY exchange, symbol, place
)
GROUP BY minute, exchange, symbol
SETTINGS max_threads = 1, max_insert_threads = 1
