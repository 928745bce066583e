-- How much of an hour a replay gave again: rows that it gave, of those that are stored.
WITH toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts
SELECT exchange, dataset, countIf(is_stored) AS stored, uniqExactIf((symbol, id), NOT is_stored) AS replayed
FROM
(
    SELECT toString(exchange) AS exchange, 'books' AS dataset, toString(symbol) AS symbol, toString(sequence) AS id, 1 AS is_stored
    FROM md_orderbook_depth
    WHERE timestamp >= starts AND timestamp < starts + INTERVAL 1 HOUR
        AND exchange IN (SELECT exchange FROM md_replayed WHERE hour = starts)
    UNION ALL
    SELECT toString(exchange), 'trades', toString(symbol), id, 1
    FROM md_trades
    WHERE timestamp >= starts AND timestamp < starts + INTERVAL 1 HOUR AND provenance != 'archive'
        AND exchange IN (SELECT exchange FROM md_replayed WHERE hour = starts)
    UNION ALL
    SELECT toString(exchange), toString(dataset), symbol, id, 0
    FROM md_replayed
    WHERE hour = starts AND dataset IN ('books', 'trades')
        AND venue_ns >= toUnixTimestamp(starts) * 1000000000 AND venue_ns < (toUnixTimestamp(starts) + 3600) * 1000000000
)
GROUP BY exchange, dataset
ORDER BY exchange, dataset
