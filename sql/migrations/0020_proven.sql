-- A broker may forget what it had acknowledged. The collector that finds out says from when on its feeds are down,
-- after it has called them valid for some of that time: what a collector calls down was never proven by it.
CREATE OR REPLACE VIEW md_feed_proven {{cluster}} AS
WITH
    edges AS
    (
        SELECT
            exchange, symbol, channel, collector, edge.1 AS at, edge.2 AS valid, edge.3 AS down
        FROM
        (
            SELECT
                exchange, symbol, channel, collector, state,
                toInt64(started_ns) AS starts, toInt64(ifNull(ended_ns, started_ns)) AS ends
            FROM md_feed_status
            WHERE state IN ('valid', 'down')
        )
        ARRAY JOIN [(starts, state = 'valid', state = 'down'), (ends, -(state = 'valid'), -(state = 'down'))] AS edge
    ),
    stretches AS
    (
        SELECT
            exchange, symbol, channel, at AS starts,
            sum(sum(valid)) OVER told AS is_valid, sum(sum(down)) OVER told AS is_down,
            leadInFrame(at, 1, at) OVER following AS ends
        FROM edges
        GROUP BY exchange, symbol, channel, collector, at
        WINDOW
            told AS (PARTITION BY exchange, symbol, channel, collector ORDER BY at),
            following AS (
                PARTITION BY exchange, symbol, channel, collector ORDER BY at
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            )
    ),
    proven AS
    (
        SELECT
            exchange, symbol, channel, starts, ends,
            max(ends) OVER (
                PARTITION BY exchange, symbol, channel ORDER BY starts, ends
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
        FROM stretches
        WHERE is_valid > 0 AND is_down = 0
    ),
    islands AS
    (
        SELECT
            exchange, symbol, channel, starts, ends,
            sum(starts > reached) OVER (PARTITION BY exchange, symbol, channel ORDER BY starts, ends) AS island
        FROM proven
    )
SELECT exchange, symbol, channel, min(starts) AS valid_from_ns, max(ends) AS valid_to_ns
FROM islands
GROUP BY exchange, symbol, channel, island;

ALTER TABLE md_feed_proven {{cluster}}
    COMMENT COLUMN exchange 'venue id',
    COMMENT COLUMN symbol 'canonical symbol: BTC-USDT, BTC-USDT-PERP',
    COMMENT COLUMN channel 'book, trades, ...',
    COMMENT COLUMN valid_from_ns 'proven from here on, receive time in ns since 1970',
    COMMENT COLUMN valid_to_ns 'proven up to here, receive time in ns since 1970';
