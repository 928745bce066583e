-- What there is of each venue in the hour: datasets with rows, and a stated feed. Venues with either have an hour that
-- can be archived, be it empty.
SELECT DISTINCT dataset, exchange
FROM
(
    SELECT 'top_of_book' AS dataset, toString(exchange) AS exchange FROM md_top_of_book
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
    SELECT 'statuses', toString(exchange) FROM md_feed_status
    WHERE started_at < {hour:DateTime('UTC')} + INTERVAL 1 HOUR AND ended_at > {hour:DateTime('UTC')}
)
ORDER BY dataset, exchange
