-- What a venue's archive file of these books must agree with; mdplatform/archive/checksum.py says how `checksum` is made.
SELECT
    toString(exchange) AS exchange, count() AS rows, min(sequence) AS min_sequence, max(sequence) AS max_sequence,
    sum((2 * sequence + 1) * (
        1 * arraySum((x, i) -> (2 * i + 1) * reinterpretAsUInt64(x), b, arrayEnumerate(b))
        + 3 * arraySum((x, i) -> (2 * i + 1) * reinterpretAsUInt64(x), bv, arrayEnumerate(bv))
        + 5 * arraySum((x, i) -> (2 * i + 1) * reinterpretAsUInt64(x), a, arrayEnumerate(a))
        + 7 * arraySum((x, i) -> (2 * i + 1) * reinterpretAsUInt64(x), av, arrayEnumerate(av))
        + 9 * arraySum((x, i) -> (2 * i + 1) * reinterpretAsUInt64(x), raw_bv, arrayEnumerate(raw_bv))
        + 11 * arraySum((x, i) -> (2 * i + 1) * reinterpretAsUInt64(x), raw_av, arrayEnumerate(raw_av))
        + 13 * ifNull(toUInt64(previous_sequence), bitNot(toUInt64(0)))
        + 15 * reinterpretAsUInt64(toUnixTimestamp64Nano(timestamp))
        + 17 * reinterpretAsUInt64(toUnixTimestamp64Nano(venue_time))
        + 19 * reinterpretAsUInt64(toUnixTimestamp64Nano(received_at))
        + 21 * ifNull(reinterpretAsUInt64(bid_depth_10bps), bitNot(toUInt64(0)))
        + 23 * ifNull(reinterpretAsUInt64(ask_depth_10bps), bitNot(toUInt64(0))))) AS checksum
FROM md_orderbook_depth
WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
GROUP BY exchange
