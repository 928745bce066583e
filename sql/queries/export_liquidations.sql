-- One venue's liquidations of an hour, as the archive holds them.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp, id,
    price, qty, toString(side) AS side, venue_time, received_at AS received_time, raw_size,
    toString(_topic) AS _topic, toInt32(_partition) AS _partition, toInt64(_offset) AS _offset
FROM md_liquidations AS liquidations
WHERE liquidations.exchange = {exchange:String}
    AND liquidations.timestamp >= {hour:DateTime('UTC')} AND liquidations.timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
ORDER BY symbol, timestamp, id
