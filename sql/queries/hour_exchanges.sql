-- Which datasets have rows of the hour, by venue. A venue with any has an hour that can be archived.
SELECT DISTINCT dataset, exchange
FROM
(
    SELECT 'books' AS dataset, toString(exchange) AS exchange FROM md_orderbook_depth
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT 'top_of_book', toString(exchange) FROM md_top_of_book
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT 'quotes', toString(exchange) FROM md_quotes
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT 'trades', toString(exchange) FROM md_trades
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT 'liquidations', toString(exchange) FROM md_liquidations
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT 'funding', toString(exchange) FROM md_funding
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT 'spreads', toString(exchange) FROM md_spread_hourly
    WHERE hour = {hour:DateTime('UTC')}
    UNION ALL
    SELECT 'statuses', toString(exchange) FROM md_feed_status
    WHERE started_at < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
        AND (ended_at > {hour:DateTime('UTC')} OR (ended_at IS NULL AND started_at >= {hour:DateTime('UTC')}))
)
ORDER BY dataset, exchange
