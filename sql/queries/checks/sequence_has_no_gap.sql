-- Books whose previous_sequence no stored book has, unless md_feed_status says that the feed was not valid between the
-- book before and this one, or the message was read and only its row is missing (which offsets_have_no_holes reports). A
-- symbol's first book within reach (one hour before) cannot be judged. Not merely compared with the row before: two
-- collectors of one feed start from snapshots of their own, which lie between its updates.
WITH
    books AS
    (
        SELECT
            exchange, symbol, timestamp, sequence, previous_sequence, toUnixTimestamp64Nano(received_at) AS received_ns,
            _topic, _partition, _offset,
            lagInFrame(sequence) OVER following AS last_sequence,
            lagInFrame(toUnixTimestamp64Nano(received_at)) OVER following AS last_received_ns
        FROM md_orderbook_depth
        WHERE timestamp >= {hour:DateTime('UTC')} - INTERVAL 1 HOUR
            AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
        WINDOW following AS (
            PARTITION BY exchange, symbol ORDER BY venue_time, sequence
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    ),
    suspects AS
    (
        SELECT *
        FROM books
        WHERE timestamp >= {hour:DateTime('UTC')}
            AND previous_sequence IS NOT NULL AND last_sequence > 0 AND previous_sequence != last_sequence
            AND (exchange, symbol, assumeNotNull(previous_sequence)) NOT IN (
                SELECT exchange, symbol, sequence
                FROM md_orderbook_depth
                WHERE timestamp >= {hour:DateTime('UTC')} - INTERVAL 1 HOUR
                    AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
            )
            AND toUInt32(sipHash64(toString(exchange), toString(symbol), toString(assumeNotNull(previous_sequence)))) NOT IN (
                SELECT key
                FROM md_messages_store
                WHERE dataset = 'books' AND timestamp >= {hour:DateTime('UTC')} - INTERVAL 1 HOUR
                    AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
            )
    ),
    known AS
    (
        SELECT exchange, symbol, groupArray((started_ns, ifNull(ended_ns, started_ns))) AS intervals
        FROM md_feed_status
        WHERE channel = 'book' AND state != 'valid'
        GROUP BY exchange, symbol
    )
SELECT
    suspects.exchange AS exchange, suspects.symbol AS symbol, timestamp, sequence, previous_sequence, last_sequence,
    _topic, _partition, _offset, count() OVER () AS bad_rows
FROM suspects
LEFT JOIN known ON suspects.exchange = known.exchange AND suspects.symbol = known.symbol
WHERE NOT arrayExists(i -> i.1 <= received_ns AND i.2 >= last_received_ns, intervals)
ORDER BY exchange, symbol, timestamp, sequence
LIMIT {limit:UInt64}
