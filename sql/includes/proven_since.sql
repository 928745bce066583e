-- Rows of md_feed_proven, made of the intervals alone that reach to `since` (ns since 1970): all that was proven from then on
-- stands here as there, but what began before may stand with a later begin. Statuses are kept for good, and that view goes
-- over those of all time.
SELECT exchange, symbol, channel, min(starts) AS valid_from_ns, max(ends) AS valid_to_ns
FROM
(
    SELECT
        exchange, symbol, channel, starts, ends,
        sum(starts > reached) OVER (PARTITION BY exchange, symbol, channel ORDER BY starts, ends) AS island
    FROM
    (
        SELECT
            exchange, symbol, channel, starts, ends,
            max(ends) OVER (
                PARTITION BY exchange, symbol, channel ORDER BY starts, ends
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
        FROM
        (
            SELECT
                exchange, symbol, channel, at AS starts,
                sum(sum(valid)) OVER until_then AS is_valid, sum(sum(down)) OVER until_then AS is_down,
                leadInFrame(at, 1, at) OVER following AS ends
            FROM
            (
                SELECT exchange, symbol, channel, collector, edge.1 AS at, edge.2 AS valid, edge.3 AS down
                FROM
                (
                    SELECT
                        exchange, symbol, channel, collector, state,
                        toInt64(started_ns) AS starts, toInt64(ifNull(ended_ns, started_ns)) AS ends
                    FROM md_feed_status
                    WHERE state IN ('valid', 'down') AND ends >= {{since}}
                )
                ARRAY JOIN [(starts, state = 'valid', state = 'down'), (ends, -(state = 'valid'), -(state = 'down'))] AS edge
            )
            GROUP BY exchange, symbol, channel, collector, at
            WINDOW
                until_then AS (PARTITION BY exchange, symbol, channel, collector ORDER BY at),
                following AS (
                    PARTITION BY exchange, symbol, channel, collector ORDER BY at
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                )
        )
        WHERE is_valid > 0 AND is_down = 0
    )
)
GROUP BY exchange, symbol, channel, island
