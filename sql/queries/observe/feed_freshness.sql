-- The newest book and trade of each feed, and how late they were when received.
SELECT
    dataset, exchange, symbol, max(timestamp) AS newest, max(received_at) AS newest_received_at,
    argMax(received_at, received_at) - argMax(venue_time, received_at) AS lag_s, count() AS rows
FROM
(
    SELECT 'books' AS dataset, toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp, venue_time, received_at
    FROM md_top_of_book WHERE timestamp >= {since:DateTime('UTC')}
    UNION ALL
    SELECT 'trades' AS dataset, toString(exchange) AS exchange, toString(symbol) AS symbol, timestamp, venue_time, received_at
    FROM md_trades WHERE timestamp >= {since:DateTime('UTC')}
)
GROUP BY dataset, exchange, symbol
ORDER BY dataset, exchange, symbol
