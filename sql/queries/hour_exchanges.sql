-- Venues with rows or a stated feed in the hour: those whose hour can be archived, be it empty.
SELECT DISTINCT exchange
FROM
(
    SELECT toString(exchange) AS exchange FROM md_top_of_book
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT toString(exchange) AS exchange FROM md_quotes
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT toString(exchange) AS exchange FROM md_trades
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT toString(exchange) AS exchange FROM md_liquidations
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT toString(exchange) AS exchange FROM md_funding
    WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
    UNION ALL
    SELECT toString(exchange) AS exchange FROM md_feed_status
    WHERE started_at < {hour:DateTime('UTC')} + INTERVAL 1 HOUR AND ended_at > {hour:DateTime('UTC')}
)
ORDER BY exchange
