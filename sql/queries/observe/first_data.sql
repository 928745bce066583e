-- The hour of the first that was ever collected; no row where nothing was. Tables know their earliest time without reading.
SELECT toStartOfHour(min(at), 'UTC') AS hour
FROM
(
    SELECT minOrNull(toDateTime(started_at, 'UTC')) AS at FROM md_feed_status_store
    UNION ALL
    SELECT minOrNull(toDateTime(timestamp, 'UTC')) FROM md_orderbook_depth_store
)
HAVING count(at) > 0
