-- One venue's books of an hour, as the archive holds them.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp,
    toInt64(sequence) AS sequence, CAST(previous_sequence, 'Nullable(Int64)') AS previous_sequence,
    b, bv, a, av, venue_time, received_at AS received_time, raw_bv, raw_av,
    toString(_topic) AS _topic, toInt32(_partition) AS _partition, toInt64(_offset) AS _offset,
    bid_depth_10bps, ask_depth_10bps
FROM md_orderbook_depth AS books
WHERE books.exchange = {exchange:String}
    AND books.timestamp >= {hour:DateTime('UTC')} AND books.timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
ORDER BY symbol, timestamp, sequence
