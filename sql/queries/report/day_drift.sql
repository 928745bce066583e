-- What venues did in a time that is not as documented: fields never seen before, limits met, channels that were silent,
-- refused or slower than documented.
SELECT exchange, measure, subject, sum(times) AS times
FROM
(
    SELECT toString(exchange) AS exchange, 'unfamiliar field' AS measure, field AS subject, uniqExact(conn) AS times
    FROM md_feed_stats_store ARRAY JOIN mapKeys(unfamiliar) AS field
    WHERE timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp < {end:DateTime64(3, 'UTC')}
    GROUP BY exchange, subject
    UNION ALL
    SELECT toString(exchange), 'limit met', 'answers 429 and 418', toUInt64(max(limits_met) - min(limits_met)) AS times
    FROM md_feed_stats_store
    WHERE timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp < {end:DateTime64(3, 'UTC')}
    GROUP BY exchange
    HAVING times > 0
    UNION ALL
    SELECT toString(exchange), replaceAll(cause, '_', ' '), concat(symbol, ' ', channel), count()
    FROM md_feed_status
    WHERE state != 'valid' AND cause IN ('silent_channel', 'refused', 'cadence')
        AND started_at < {end:DateTime64(3, 'UTC')} AND (ended_at > {start:DateTime64(3, 'UTC')} OR (ended_at IS NULL AND started_at >= {start:DateTime64(3, 'UTC')}))
    GROUP BY exchange, cause, symbol, channel
)
GROUP BY exchange, measure, subject
ORDER BY exchange, measure, subject
