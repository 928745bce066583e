-- Candles of a feed for the live page: whole ones of md_bars, and of the running one what traded before {until_s}. From there
-- on the page counts by itself what it reads from the topic. The running one is read without FINAL: ids make a trade single.
SELECT *
FROM
(
    SELECT toUnixTimestamp(bar) AS at_s, open, high, low, close, volume, buy_volume
    FROM md_bars(seconds = {bar_s:UInt32})
    WHERE exchange = {exchange:String} AND symbol = {symbol:String}
        AND bar >= fromUnixTimestamp({since_s:Int64}) AND bar < fromUnixTimestamp({running_s:Int64})
    UNION ALL
    SELECT
        toUInt32({running_s:Int64}) AS at_s, argMin(price, place) AS open, max(price) AS high, min(price) AS low,
        argMax(price, place) AS close, sum(qty) AS volume, sumIf(qty, side = 'buy') AS buy_volume
    FROM
    (
        SELECT price, qty, side, (venue_time, id) AS place
        FROM md_trades_store
        WHERE exchange = {exchange:String} AND symbol = {symbol:String}
            AND timestamp >= fromUnixTimestamp64Milli({running_s:Int64} * 1000, 'UTC')
            AND timestamp < fromUnixTimestamp64Milli({until_s:Int64} * 1000, 'UTC')
        LIMIT 1 BY id, timestamp
    )
    HAVING count() > 0
)
ORDER BY at_s
LIMIT 2000
SETTINGS max_execution_time = 20
