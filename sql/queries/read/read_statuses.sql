-- The same of md_feed_status, cut into these hours as export_statuses cuts its rows: what only statements after an hour's
-- end say is left out of its piece.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol,
    toDateTime64(greatest(started_at, begins), 3, 'UTC') AS timestamp,
    toString(channel) AS channel, toString(state) AS state, toString(collector) AS collector, cause,
    started_at AS started_time, if(lasts, ends, ended_at) AS ended_time, first_sequence,
    if(lasts, NULL, last_sequence) AS last_sequence, if(lasts, NULL, missed) AS missed,
    if(lasts, NULL, toString(_topic)) AS _topic, if(lasts, NULL, _partition) AS _partition, if(lasts, NULL, _offset) AS _offset
FROM
(
    SELECT
        *,
        toDateTime64(arrayJoin({hours:Array(DateTime('UTC'))}), 9, 'UTC') AS begins, begins + INTERVAL 1 HOUR AS ends,
        ifNull(ended_at >= ends, false) AS lasts
    FROM md_feed_status
) AS pieces
WHERE (empty({exchanges:Array(String)}) OR pieces.exchange IN {exchanges:Array(String)})
    AND (empty({symbols:Array(String)}) OR pieces.symbol IN {symbols:Array(String)})
    AND started_at < ends AND (ended_at > begins OR (ended_at IS NULL AND started_at >= begins))
