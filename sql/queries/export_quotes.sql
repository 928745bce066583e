-- One venue's best bids and asks, as it sends them by themselves, of an hour, as the archive holds them.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp,
    toInt64(sequence) AS sequence,
    bid_price, bid_size, ask_price, ask_size, venue_time, received_at AS received_time, raw_bid_size, raw_ask_size,
    toString(_topic) AS _topic, toInt32(_partition) AS _partition, toInt64(_offset) AS _offset
FROM md_quotes AS quotes
WHERE quotes.exchange = {exchange:String}
    AND quotes.timestamp >= {hour:DateTime('UTC')} AND quotes.timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
ORDER BY symbol, timestamp, sequence
