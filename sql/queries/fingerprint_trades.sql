-- What a venue's archive file of these trades must agree with; mdplatform/archive/checksum.py says how `checksum` is made.
SELECT
    toString(exchange) AS exchange, count() AS rows, NULL AS min_sequence, NULL AS max_sequence,
    sum((2 * toUInt64(CRC32(toString(id))) + 1) * (
        1 * reinterpretAsUInt64(price)
        + 3 * reinterpretAsUInt64(qty)
        + 5 * ifNull(reinterpretAsUInt64(raw_size), bitNot(toUInt64(0)))
        + 7 * toUInt64(CRC32(toString(side)))
        + 9 * toUInt64(CRC32(toString(provenance)))
        + 11 * reinterpretAsUInt64(toUnixTimestamp64Nano(timestamp))
        + 13 * reinterpretAsUInt64(toUnixTimestamp64Nano(venue_time))
        + 15 * reinterpretAsUInt64(toUnixTimestamp64Nano(received_at))
        + 17 * ifNull(toUInt64(CRC32(first_id)), bitNot(toUInt64(0)))
        + 19 * ifNull(toUInt64(count), bitNot(toUInt64(0))))) AS checksum
FROM md_trades
WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
GROUP BY exchange
