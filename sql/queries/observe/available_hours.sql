-- Hours of venue time that hold books or trades, with their rows by venue.
SELECT dataset, exchange, toStartOfHour(timestamp) AS hour, count() AS rows, max(inserted_at) AS last_inserted_at
FROM
(
    SELECT 'books' AS dataset, toString(exchange) AS exchange, timestamp, inserted_at FROM md_top_of_book
    WHERE timestamp >= {since:DateTime('UTC')}
    UNION ALL
    SELECT 'trades' AS dataset, toString(exchange) AS exchange, timestamp, inserted_at FROM md_trades
    WHERE timestamp >= {since:DateTime('UTC')}
)
GROUP BY dataset, exchange, hour
ORDER BY hour, dataset, exchange
