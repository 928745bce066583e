-- One venue's trades of an hour, as the archive holds them.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp, id,
    price, qty, toString(side) AS side, toString(provenance) AS provenance, venue_time, received_at AS received_time, raw_size,
    toString(_topic) AS _topic, toInt32(_partition) AS _partition, toInt64(_offset) AS _offset,
    first_id, CAST(count, 'Nullable(Int64)') AS count
FROM md_trades AS trades
WHERE trades.exchange = {exchange:String}
    AND trades.timestamp >= {hour:DateTime('UTC')} AND trades.timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
ORDER BY symbol, timestamp, id
