-- Rows whose times contradict each other: a venue time more than 5 s ahead of the receive time, or more than a minute
-- behind (a wrong unit is off by far more), a time in ms that is not the venue time's, or a book whose venue time lies
-- more than a second before that of the update before it. Trades that were filled in later are late by nature.
WITH
    toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts,
    rows AS
    (
        SELECT
            'books' AS dataset, toString(exchange) AS exchange, toString(symbol) AS symbol, toString(sequence) AS id,
            timestamp, venue_time, received_at, _topic, _partition, _offset,
            -- Where it was logged later, the numbering began again in between: it is not the update before.
            if(lagInFrame(_offset) OVER previous <= _offset, lagInFrame(venue_time, 1, venue_time) OVER previous, venue_time) AS before
        FROM md_orderbook_depth
        WHERE timestamp >= starts AND timestamp < starts + INTERVAL 1 HOUR
        WINDOW previous AS (
            PARTITION BY exchange, symbol ORDER BY sequence, timestamp ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        )
        UNION ALL
        SELECT
            'trades', toString(exchange), toString(symbol), id, timestamp, venue_time, received_at,
            _topic, _partition, _offset, venue_time AS before
        FROM md_trades
        WHERE timestamp >= starts AND timestamp < starts + INTERVAL 1 HOUR AND provenance = 'live'
    )
SELECT
    multiIf(
        venue_time > received_at + INTERVAL 5 SECOND, 'ahead of its receipt',
        venue_time < received_at - INTERVAL 60 SECOND, 'long before its receipt',
        timestamp != toDateTime64(venue_time, 3, 'UTC'), 'ms differ from ns',
        before > venue_time + INTERVAL 1 SECOND, 'before the update before it',
        '') AS fault,
    dataset, exchange, symbol, id, timestamp, venue_time, received_at, _topic, _partition, _offset,
    count() OVER () AS bad_rows
FROM rows
WHERE fault != ''
ORDER BY dataset, exchange, symbol, timestamp, id
LIMIT {limit:UInt64}
