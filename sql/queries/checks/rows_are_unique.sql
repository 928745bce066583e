-- Updates and trades that a reader sees twice. The engine keeps one row of those with equal keys, within a day: twice is
-- what has one key on both sides of a midnight, and what one message became under two keys.
WITH
    toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts,
    starts + INTERVAL 1 HOUR AS ends,
    seen AS
    (
        SELECT
            'books' AS dataset, toString(exchange) AS exchange, toString(symbol) AS symbol, toString(sequence) AS id,
            timestamp, received_at, _topic, _partition, _offset
        FROM md_orderbook_depth
        WHERE timestamp >= starts - INTERVAL 1 HOUR AND timestamp < ends + INTERVAL 1 HOUR
        UNION ALL
        SELECT 'trades', toString(exchange), toString(symbol), id, timestamp, received_at, _topic, _partition, _offset
        FROM md_trades
        WHERE timestamp >= starts - INTERVAL 1 HOUR AND timestamp < ends + INTERVAL 1 HOUR
    )
SELECT *, count() OVER () AS bad_rows
FROM
(
    SELECT
        'one key on two days' AS fault, dataset, exchange, symbol, id, min(timestamp) AS first_timestamp,
        max(timestamp) AS last_timestamp, count() AS rows, any(toString(_topic)) AS _topic, groupUniqArray(10)(_offset) AS offsets
    FROM seen
    WHERE toHour(starts) IN (0, 23)
    GROUP BY dataset, exchange, symbol, id
    HAVING rows > 1 AND countIf(timestamp >= starts AND timestamp < ends) > 0
    UNION ALL
    SELECT
        'one message as several rows' AS fault, dataset, any(exchange) AS exchange, any(symbol) AS symbol,
        arrayStringConcat(arraySort(groupArray(10)(id)), ' ') AS id, min(timestamp) AS first_timestamp,
        max(timestamp) AS last_timestamp, count() AS rows, toString(_topic) AS _topic, [_offset] AS offsets
    FROM seen
    WHERE timestamp >= starts AND timestamp < ends AND _topic != ''
    GROUP BY dataset, _topic, _partition, _offset, received_at
    HAVING rows > 1
)
ORDER BY dataset, exchange, symbol, id
LIMIT {limit:UInt64}
