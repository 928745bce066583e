-- Hours that books or trades were stored into since a moment, by venue, with the last time.
SELECT toString(exchange) AS exchange, toStartOfHour(timestamp, 'UTC') AS hour, max(inserted_at) AS last_inserted_at, count() AS rows
FROM
(
    SELECT exchange, timestamp, inserted_at FROM md_orderbook_depth_store WHERE inserted_at > {since:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT exchange, timestamp, inserted_at FROM md_trades_store WHERE inserted_at > {since:DateTime64(3, 'UTC')}
)
GROUP BY exchange, hour
ORDER BY hour, exchange
