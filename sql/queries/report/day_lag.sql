-- By venue, how late frames came (receive time less venue time) and how long the broker took, over a time.
SELECT
    toString(exchange) AS exchange, uniqExact(conn) AS connections,
    quantile(0.5)(venue_lag_ms) AS lag_ms, quantile(0.99)(venue_lag_ms) AS lag_p99_ms,
    quantile(0.99)(latency_p99_ms) AS delivery_p99_ms, max(queue) AS most_queued,
    sum(paused) AS paused_ms
FROM
(
    SELECT *, max(paused_ms) OVER (PARTITION BY exchange, conn) - min(paused_ms) OVER (PARTITION BY exchange, conn) AS span,
        if(row_number() OVER (PARTITION BY exchange, conn ORDER BY timestamp) = 1, span, 0) AS paused
    FROM md_feed_stats_store
    WHERE timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp < {end:DateTime64(3, 'UTC')}
)
GROUP BY exchange
ORDER BY exchange
