-- Trades whose number does not follow the one before, for venues that number their trades one by one (the parameter),
-- unless md_feed_status says that the feed was not valid between the two, or the message was read and only its row is
-- missing (which offsets_have_no_holes reports). A symbol's first trade within reach (one hour before) cannot be judged,
-- nor one whose number follows that of a later trade: there the numbering began again. A trade of several matches has all
-- their numbers.
WITH
    toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') - INTERVAL 1 HOUR AS starts, toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR AS ends,
    trades AS
    (
        SELECT
            exchange, symbol, timestamp, number, toUnixTimestamp64Nano(received_at) AS received_ns,
            _topic, _partition, _offset,
            if(ifNull(count, 1) > 1, toUInt64OrZero(ifNull(first_id, '')), number) AS first_number,
            lagInFrame(number) OVER following AS last_number,
            lagInFrame(timestamp) OVER following AS last_timestamp,
            lagInFrame(received_ns) OVER following AS last_received_ns
        FROM
        (
            {{include counted_trades begin=starts end=ends}}
        )
        WHERE exchange IN {exchanges:Array(String)}
        WINDOW following AS (
            PARTITION BY exchange, symbol ORDER BY number, timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    ),
    known AS
    (
        SELECT exchange, symbol, groupArray((started_ns, ifNull(ended_ns, started_ns))) AS intervals
        FROM md_feed_status
        WHERE channel = 'trades' AND state != 'valid'
        GROUP BY exchange, symbol
    )
SELECT
    trades.exchange AS exchange, trades.symbol AS symbol, timestamp, number, last_number,
    _topic, _partition, _offset, count() OVER () AS bad_rows
FROM trades
LEFT JOIN known ON trades.exchange = known.exchange AND trades.symbol = known.symbol
WHERE timestamp >= {hour:DateTime('UTC')} AND last_number > 0 AND first_number > last_number + 1 AND last_timestamp <= timestamp + INTERVAL 1 MINUTE
    AND toUInt32(sipHash64(toString(trades.exchange), toString(trades.symbol), toString(last_number + 1))) NOT IN (
        SELECT key
        FROM md_messages_store
        WHERE dataset = 'trades' AND timestamp >= {hour:DateTime('UTC')} - INTERVAL 1 HOUR
            AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
    )
    AND NOT arrayExists(i -> i.1 <= received_ns AND i.2 >= last_received_ns, intervals)
ORDER BY exchange, symbol, number
LIMIT {limit:UInt64}
