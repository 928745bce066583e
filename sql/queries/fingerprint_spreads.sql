-- What a venue's archive file of these hourly spreads must agree with; mdplatform/archive/checksum.py says how `checksum` is made.
SELECT
    toString(exchange) AS exchange, count() AS rows, NULL AS min_sequence, NULL AS max_sequence,
    sum((2 * toUInt64(CRC32(toString(symbol))) + 1) * (
        1 * updates
        + 3 * reinterpretAsUInt64(coverage)
        + 5 * ifNull(reinterpretAsUInt64(spread), bitNot(toUInt64(0)))
        + 7 * ifNull(reinterpretAsUInt64(spread_median), bitNot(toUInt64(0)))
        + 9 * ifNull(reinterpretAsUInt64(spread_p95), bitNot(toUInt64(0)))
        + 11 * ifNull(reinterpretAsUInt64(spread_p99), bitNot(toUInt64(0)))
        + 13 * ifNull(reinterpretAsUInt64(spread_bps), bitNot(toUInt64(0)))
        + 15 * ifNull(reinterpretAsUInt64(spread_bps_median), bitNot(toUInt64(0)))
        + 17 * ifNull(reinterpretAsUInt64(spread_bps_p95), bitNot(toUInt64(0)))
        + 19 * ifNull(reinterpretAsUInt64(spread_bps_p99), bitNot(toUInt64(0)))
        + 21 * ifNull(reinterpretAsUInt64(mid_open), bitNot(toUInt64(0)))
        + 23 * ifNull(reinterpretAsUInt64(mid_high), bitNot(toUInt64(0)))
        + 25 * ifNull(reinterpretAsUInt64(mid_low), bitNot(toUInt64(0)))
        + 27 * ifNull(reinterpretAsUInt64(mid_close), bitNot(toUInt64(0)))
        + 29 * ifNull(reinterpretAsUInt64(imbalance), bitNot(toUInt64(0)))
        + 31 * ifNull(reinterpretAsUInt64(bid_depth_10bps_base), bitNot(toUInt64(0)))
        + 33 * ifNull(reinterpretAsUInt64(bid_depth_10bps_quote), bitNot(toUInt64(0)))
        + 35 * ifNull(reinterpretAsUInt64(ask_depth_10bps_base), bitNot(toUInt64(0)))
        + 37 * ifNull(reinterpretAsUInt64(ask_depth_10bps_quote), bitNot(toUInt64(0)))
        + 39 * ifNull(reinterpretAsUInt64(realized_volatility), bitNot(toUInt64(0)))
        + 41 * reinterpretAsUInt64(order_flow_imbalance)
        + 43 * reinterpretAsUInt64(toUnixTimestamp64Nano(toDateTime64(hour, 9, 'UTC'))))) AS checksum
FROM md_spread_hourly
WHERE hour = {hour:DateTime('UTC')}
GROUP BY exchange
