-- Books whose best bid is not below their best ask. `bad_rows` is their number before the limit.
SELECT exchange, symbol, timestamp, sequence, bid_price, ask_price, _topic, _partition, _offset, count() OVER () AS bad_rows
FROM md_top_of_book
WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
    AND bid_price >= ask_price
ORDER BY exchange, symbol, timestamp, sequence
LIMIT {limit:UInt64}
