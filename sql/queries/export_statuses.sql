-- The intervals of one venue's feeds that touch an hour, cut at its end, as the archive holds them. A feed goes on being
-- stated while its interval lasts: what only those later statements say is left out of a cut interval, so that the hour
-- is the same whenever it is asked for.
WITH toDateTime64({hour:DateTime('UTC')}, 9, 'UTC') AS begins, begins + INTERVAL 1 HOUR AS ends
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol,
    toDateTime64(greatest(started_at, begins), 3, 'UTC') AS timestamp,
    toString(channel) AS channel, toString(state) AS state, toString(collector) AS collector, cause,
    started_at AS started_time,
    if(lasts, ends, ended_at) AS ended_time,
    CAST(first_sequence, 'Nullable(Int64)') AS first_sequence,
    if(lasts, NULL, CAST(last_sequence, 'Nullable(Int64)')) AS last_sequence,
    if(lasts, NULL, CAST(missed, 'Nullable(Int64)')) AS missed,
    if(lasts, NULL, toString(_topic)) AS _topic,
    if(lasts, NULL, toInt32(_partition)) AS _partition,
    if(lasts, NULL, toInt64(_offset)) AS _offset
FROM (SELECT *, ifNull(ended_at >= ends, false) AS lasts FROM md_feed_status) AS statuses
WHERE statuses.exchange = {exchange:String} AND statuses.started_at < ends
    AND (statuses.ended_at > begins OR (statuses.ended_at IS NULL AND statuses.started_at >= begins))
ORDER BY symbol, timestamp, channel, started_time, state, collector
