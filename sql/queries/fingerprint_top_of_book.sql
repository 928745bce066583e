-- What a venue's archive file of these best levels must agree with; mdplatform/archive/checksum.py says how `checksum` is made.
SELECT
    toString(exchange) AS exchange, count() AS rows, min(sequence) AS min_sequence, max(sequence) AS max_sequence,
    sum((2 * sequence + 1) * (
        1 * ifNull(reinterpretAsUInt64(bid_price), bitNot(toUInt64(0)))
        + 3 * ifNull(reinterpretAsUInt64(bid_size), bitNot(toUInt64(0)))
        + 5 * ifNull(reinterpretAsUInt64(ask_price), bitNot(toUInt64(0)))
        + 7 * ifNull(reinterpretAsUInt64(ask_size), bitNot(toUInt64(0)))
        + 9 * reinterpretAsUInt64(toUnixTimestamp64Nano(timestamp))
        + 11 * reinterpretAsUInt64(toUnixTimestamp64Nano(venue_time))
        + 13 * reinterpretAsUInt64(toUnixTimestamp64Nano(received_at)))) AS checksum
FROM md_top_of_book
WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
GROUP BY exchange
