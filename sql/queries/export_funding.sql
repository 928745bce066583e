-- One venue's funding and mark prices of an hour, as the archive holds them.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp,
    rate, mark_price, index_price, next_funding_at AS next_funding_time, venue_time, received_at AS received_time,
    toString(_topic) AS _topic, toInt32(_partition) AS _partition, toInt64(_offset) AS _offset
FROM md_funding AS funding
WHERE funding.exchange = {exchange:String}
    AND funding.timestamp >= {hour:DateTime('UTC')} AND funding.timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
ORDER BY symbol, timestamp, venue_time
