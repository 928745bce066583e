-- What a venue's archive file of this funding must agree with; mdplatform/archive/checksum.py says how `checksum` is made.
SELECT
    toString(exchange) AS exchange, count() AS rows, NULL AS min_sequence, NULL AS max_sequence,
    sum((2 * reinterpretAsUInt64(toUnixTimestamp64Nano(venue_time)) + 1) * (
        1 * ifNull(reinterpretAsUInt64(rate), bitNot(toUInt64(0)))
        + 3 * ifNull(reinterpretAsUInt64(mark_price), bitNot(toUInt64(0)))
        + 5 * ifNull(reinterpretAsUInt64(index_price), bitNot(toUInt64(0)))
        + 7 * ifNull(reinterpretAsUInt64(toUnixTimestamp64Nano(next_funding_at)), bitNot(toUInt64(0)))
        + 9 * reinterpretAsUInt64(toUnixTimestamp64Nano(timestamp))
        + 11 * reinterpretAsUInt64(toUnixTimestamp64Nano(venue_time))
        + 13 * reinterpretAsUInt64(toUnixTimestamp64Nano(received_at)))) AS checksum
FROM md_funding
WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
GROUP BY exchange
