-- How late rows of the last minutes are, by venue and stage, for the live page; ms, of trades as they came. Venue to collector
-- holds the venue's clock, collector to row the broker and the time until a block is written.
SELECT
    toString(exchange) AS exchange, count() AS rows, toUnixTimestamp64Milli(max(inserted_at)) AS last_ms,
    quantileExact(0.5)(toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(venue_time)) AS venue_p50_ms,
    quantileExact(0.99)(toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(venue_time)) AS venue_p99_ms,
    quantileExact(0.5)(toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(received_at)) AS stored_p50_ms,
    quantileExact(0.99)(toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(received_at)) AS stored_p99_ms
FROM md_trades_store
WHERE timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND provenance = 'live'
GROUP BY exchange
ORDER BY exchange
LIMIT 100
SETTINGS max_execution_time = 20
