-- Published books in the order of receipt, of [start, end) by receive time, from the last one before on, as book_changes
-- gives changes: each is a snapshot of the best levels.
WITH
    toDateTime64({start:String}, 9, 'UTC') AS starts, toDateTime64({end:String}, 9, 'UTC') AS ends,
    (
        SELECT max(received_at)
        FROM md_orderbook_depth_store
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
            AND received_at <= starts AND timestamp > starts - INTERVAL 1 DAY AND timestamp < starts + INTERVAL 1 DAY
    ) AS book_at,
    if(toUnixTimestamp64Nano(assumeNotNull(book_at)) > 0, assumeNotNull(book_at), starts) AS since
SELECT
    'snapshot' AS kind, b, bv, a, av, CAST(NULL, 'Nullable(Int64)') AS first_sequence, toInt64(sequence) AS sequence,
    toInt64(previous_sequence) AS previous_sequence,
    toUnixTimestamp64Nano(venue_time) AS venue_ns, toUnixTimestamp64Nano(received_at) AS received_ns
FROM md_orderbook_depth_store
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
    AND received_at >= since AND received_at < ends
    AND timestamp > since - INTERVAL 1 HOUR AND timestamp < ends + INTERVAL 1 HOUR
ORDER BY received_ns, sequence
