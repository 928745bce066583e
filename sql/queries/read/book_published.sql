-- The last book that was published before a time: the best levels alone.
SELECT b, bv, a, av, sequence, venue_time, received_at
FROM md_orderbook_depth
WHERE exchange = {exchange:String} AND symbol = {symbol:String}
    AND timestamp > toDateTime64({at:String}, 9, 'UTC') - INTERVAL 1 DAY
    AND timestamp < toDateTime64({at:String}, 9, 'UTC') + INTERVAL 1 DAY
    AND received_at <= toDateTime64({at:String}, 9, 'UTC')
ORDER BY received_at DESC
LIMIT 1
