-- The last trades of a feed and all its liquidations within the time, for the live page; newest first.
-- Read without FINAL, which would read whole days; the ids make each one single.
SELECT kind, id, price, qty, side, ts
FROM
(
    SELECT 'trade' AS kind, id, price, qty, toString(side) AS side, toUnixTimestamp64Milli(timestamp) AS ts
    FROM md_trades_store
    WHERE exchange = {exchange:String} AND symbol = {symbol:String}
        AND timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND timestamp <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    ORDER BY timestamp DESC, id DESC
    LIMIT 1 BY id, timestamp
    LIMIT 60
    UNION ALL
    SELECT 'liquidation' AS kind, id, price, qty, toString(side) AS side, toUnixTimestamp64Milli(timestamp) AS ts
    FROM md_liquidations_store
    WHERE exchange = {exchange:String} AND symbol = {symbol:String}
        AND timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND timestamp <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    ORDER BY timestamp DESC, id DESC
    LIMIT 1 BY id, timestamp
    LIMIT 200
)
ORDER BY ts DESC, id DESC
SETTINGS max_execution_time = 20
