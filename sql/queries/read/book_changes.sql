-- The changes of a book in the order of receipt, of [start, end) by receive time, from the last snapshot before on: as
-- md_book_at reads them. Where there is no snapshot before: from the start on.
WITH
    toDateTime64({start:String}, 9, 'UTC') AS starts, toDateTime64({end:String}, 9, 'UTC') AS ends,
    (
        SELECT max(received_at)
        FROM md_book_increments_store
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND kind = 'snapshot' AND NOT shadow
            AND received_at <= starts AND timestamp > starts - INTERVAL 1 DAY AND timestamp < starts + INTERVAL 1 DAY
    ) AS snapshot_at,
    if(toUnixTimestamp64Nano(assumeNotNull(snapshot_at)) > 0, assumeNotNull(snapshot_at) - INTERVAL 5 SECOND, starts) AS since
SELECT
    toString(kind) AS kind, b, bv, a, av, toInt64(first_sequence) AS first_sequence, toInt64(sequence) AS sequence,
    toInt64(previous_sequence) AS previous_sequence,
    toUnixTimestamp64Nano(venue_time) AS venue_ns, toUnixTimestamp64Nano(received_at) AS received_ns
FROM md_book_increments_store
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
    AND received_at >= since AND received_at < ends
    AND timestamp > since - INTERVAL 1 HOUR AND timestamp < ends + INTERVAL 1 HOUR
ORDER BY received_ns, sequence, kind DESC
