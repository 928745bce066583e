-- One venue's best levels of an hour, as the archive holds them.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp,
    toInt64(sequence) AS sequence,
    bid_price, bid_size, ask_price, ask_size, venue_time, received_at AS received_time,
    toString(_topic) AS _topic, toInt32(_partition) AS _partition, toInt64(_offset) AS _offset
FROM md_top_of_book AS tops
WHERE tops.exchange = {exchange:String}
    AND tops.timestamp >= {hour:DateTime('UTC')} AND tops.timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
ORDER BY symbol, timestamp, sequence
