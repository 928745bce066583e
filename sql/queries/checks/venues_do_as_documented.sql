-- What a venue did in an hour that is not as documented: one row a thing. Counters are of a connection since its
-- collector started: what an hour added is its last value less its first, or its last where they began again.
WITH
    mapFromArrays({steady:Array(String)}, {cadences_ms:Array(Float64)}) AS steady,
    hours AS
    (
        SELECT
            exchange, conn,
            argMin(tuple(frames, gaps, limits_met, unfamiliar), timestamp) AS first,
            argMax(tuple(frames, gaps, limits_met, unfamiliar), timestamp) AS last,
            minMap(cadence_ms) AS fastest
        FROM md_feed_stats
        WHERE timestamp >= {hour:DateTime('UTC')} AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
        GROUP BY exchange, conn
    ),
    grown AS
    (
        SELECT
            exchange, conn, fastest, last.4 AS unfamiliar, first.4 AS before,
            if(last.1 >= first.1, toUInt64(last.1 - first.1), last.1) AS frames,
            if(last.2 >= first.2, toUInt64(last.2 - first.2), last.2) AS gaps,
            if(last.3 >= first.3, toUInt64(last.3 - first.3), last.3) AS limits
        FROM hours
    ),
    found AS
    (
        SELECT exchange, 'cadence' AS measure, kind AS subject, concat(toString(documented), ' ms') AS documented_text, concat(toString(round(min(ms))), ' ms') AS measured
        FROM
        (
            SELECT exchange, pair.1 AS kind, pair.2 AS ms, steady[concat(toString(exchange), '/', kind)] AS documented
            FROM grown ARRAY JOIN arrayZip(mapKeys(fastest), mapValues(fastest)) AS pair
        )
        WHERE documented > 0
        GROUP BY exchange, kind, documented
        HAVING min(ms) > 3 * documented
        UNION ALL
        SELECT exchange, 'unfamiliar field', field, 'not known', concat('in ', toString(sum(seen)), ' frames looked at')
        FROM
        (
            SELECT exchange, pair.1 AS field, pair.2 - if(before[pair.1] <= pair.2, before[pair.1], 0) AS seen
            FROM grown ARRAY JOIN arrayZip(mapKeys(unfamiliar), mapValues(unfamiliar)) AS pair
        )
        WHERE seen > 0
        GROUP BY exchange, field
        UNION ALL
        SELECT exchange, 'gaps a million frames', 'all connections', '10', toString(round(1000000 * sum(gaps) / sum(frames), 1))
        FROM grown
        GROUP BY exchange
        HAVING sum(gaps) >= 3 AND 1000000 * sum(gaps) > 10 * sum(frames)
        UNION ALL
        SELECT exchange, 'limit met', 'answers 429 and 418', '0', toString(max(limits))
        FROM grown
        GROUP BY exchange
        HAVING max(limits) > 0
        UNION ALL
        SELECT exchange, replaceAll(cause, '_', ' '), concat(symbol, ' ', channel), 'sends', cause
        FROM md_feed_status
        WHERE state != 'valid' AND cause IN ('silent_channel', 'refused', 'cadence')
            AND started_at < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
            AND (ended_at > toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') OR (ended_at IS NULL AND started_at >= {hour:DateTime('UTC')}))
        GROUP BY exchange, symbol, channel, cause
    )
SELECT toString(exchange) AS exchange, measure, toString(subject) AS subject, documented_text AS documented, measured, count() OVER () AS bad_rows
FROM found
ORDER BY exchange, measure, subject
LIMIT {limit:UInt64}
