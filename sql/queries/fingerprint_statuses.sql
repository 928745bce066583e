-- What a venue's archive file of these intervals must agree with; mdplatform/archive/checksum.py says how `checksum` is made,
-- export_statuses.sql what is cut.
WITH
    toDateTime64({hour:DateTime('UTC')}, 9, 'UTC') AS begins, begins + INTERVAL 1 HOUR AS ends,
    ifNull(ended_at >= ends, false) AS lasts
SELECT
    toString(exchange) AS exchange, count() AS rows, NULL AS min_sequence, NULL AS max_sequence,
    sum((2 * reinterpretAsUInt64(toUnixTimestamp64Nano(started_at)) + 1) * (
        1 * toUInt64(CRC32(toString(symbol)))
        + 3 * toUInt64(CRC32(toString(channel)))
        + 5 * toUInt64(CRC32(toString(state)))
        + 7 * toUInt64(CRC32(toString(collector)))
        + 9 * toUInt64(CRC32(toString(cause)))
        + 11 * reinterpretAsUInt64(toUnixTimestamp64Nano(toDateTime64(greatest(started_at, begins), 3, 'UTC')))
        + 13 * ifNull(reinterpretAsUInt64(toUnixTimestamp64Nano(if(lasts, ends, ended_at))), bitNot(toUInt64(0)))
        + 15 * ifNull(toUInt64(first_sequence), bitNot(toUInt64(0)))
        + 17 * ifNull(toUInt64(if(lasts, NULL, last_sequence)), bitNot(toUInt64(0)))
        + 19 * ifNull(toUInt64(if(lasts, NULL, missed)), bitNot(toUInt64(0))))) AS checksum
FROM md_feed_status
WHERE started_at < ends
    AND (ended_at > begins OR (ended_at IS NULL AND started_at >= begins))
GROUP BY exchange
