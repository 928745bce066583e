-- The changes of a book in the order of receipt, of [start, end) by receive time, from the last snapshot before on: as
-- md_book_at reads them. Where there is no snapshot before: from the start on. The greater a precedence, the earlier.
WITH
    bitNot(toUInt64(toUnixTimestamp64Nano(toDateTime64({start:String}, 9, 'UTC')))) AS starts,
    bitNot(toUInt64(toUnixTimestamp64Nano(toDateTime64({end:String}, 9, 'UTC')))) AS ends,
    toDateTime64({start:String}, 9, 'UTC') AS start_time,
    (
        SELECT min(precedence)
        FROM md_book_increments_store
        PREWHERE kind = 'snapshot'
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
            AND precedence >= starts AND timestamp > start_time - INTERVAL 1 DAY AND timestamp < start_time + INTERVAL 1 DAY
    ) AS snapshot,
    if(assumeNotNull(snapshot) > 0, assumeNotNull(snapshot) + 5000000000, starts) AS since,
    fromUnixTimestamp64Nano(toInt64(bitNot(since)), 'UTC') AS since_time
SELECT
    toString(kind) AS kind,
    {{include unpacked_levels}},
    toInt64(first_sequence) AS first_sequence, toInt64(sequence) AS sequence,
    toInt64(previous_sequence) AS previous_sequence,
    toUnixTimestamp64Nano(venue_time) AS venue_ns, toInt64(bitNot(precedence)) AS received_ns
FROM md_book_increments_store
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
    AND precedence <= since AND precedence > ends
    AND timestamp > since_time - INTERVAL 1 HOUR AND timestamp < toDateTime64({end:String}, 9, 'UTC') + INTERVAL 1 HOUR
ORDER BY received_ns, sequence, kind DESC
