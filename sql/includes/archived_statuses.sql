-- Intervals that touch the hour, cut at its end. A feed goes on being stated while its interval lasts: what only those
-- later statements say is left out of a cut interval, so that the hour is the same whenever it is asked for.
FROM
(
    WITH toDateTime64({hour:DateTime('UTC')}, 9, 'UTC') AS begins, begins + INTERVAL 1 HOUR AS ends
    SELECT
        exchange, symbol, toDateTime64(greatest(stated.started_at, begins), 3, 'UTC') AS timestamp, channel, state, collector, cause,
        stated.started_at AS started_time, if(lasts, ends, stated.ended_at) AS ended_time, first_sequence,
        if(lasts, NULL, stated.last_sequence) AS last_sequence, if(lasts, NULL, stated.missed) AS missed,
        if(lasts, NULL, toString(stated._topic)) AS _topic, if(lasts, NULL, stated._partition) AS _partition,
        if(lasts, NULL, stated._offset) AS _offset
    FROM (SELECT *, ifNull(ended_at >= ends, false) AS lasts FROM md_feed_status) AS stated
    WHERE stated.started_at < ends
        AND (stated.ended_at > begins OR (stated.ended_at IS NULL AND stated.started_at >= begins))
) AS rows
WHERE true
