-- A feed may be collected by several collectors at once: whose interval it is, and what one of them alone would have missed.
ALTER TABLE md_feed_status_store {{cluster}}
    ADD COLUMN IF NOT EXISTS collector LowCardinality(String) COMMENT 'A, or B, C ... where a feed is collected several times' AFTER missed,
    MODIFY ORDER BY (exchange, symbol, channel, started_ns, state, collector);

ALTER TABLE md_feed_stats_store {{cluster}}
    ADD COLUMN IF NOT EXISTS renewals UInt64 COMMENT 'connections replaced by another before they ended, without a gap' CODEC(Delta, ZSTD(1)) AFTER reconnects;

CREATE OR REPLACE VIEW md_feed_status {{cluster}} AS
SELECT * FROM md_feed_status_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW md_feed_stats {{cluster}} AS
SELECT * FROM md_feed_stats_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- When a feed was proven, by whichever collector: overlapping valid intervals as one.
CREATE VIEW IF NOT EXISTS md_feed_proven {{cluster}} AS
WITH
    proven AS
    (
        SELECT
            exchange, symbol, channel, toInt64(started_ns) AS starts, toInt64(ifNull(ended_ns, started_ns)) AS ends,
            max(ends) OVER (
                PARTITION BY exchange, symbol, channel ORDER BY starts, ends
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
        FROM md_feed_status
        WHERE state = 'valid'
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

-- Intervals of one collector that are not valid, and whether another one proved the feed all the while.
CREATE VIEW IF NOT EXISTS md_feed_gaps {{cluster}} AS
SELECT
    status.exchange AS exchange, status.symbol AS symbol, status.channel AS channel, collector, state, cause,
    started_at, ended_at, started_ns, ended_ns, first_sequence, last_sequence, missed,
    proven.valid_from_ns > 0 AND toInt64(ifNull(ended_ns, started_ns)) <= proven.valid_to_ns AS prevented
FROM (SELECT *, toInt64(started_ns) AS starts FROM md_feed_status WHERE state != 'valid') AS status
ASOF LEFT JOIN md_feed_proven AS proven
    ON status.exchange = proven.exchange AND status.symbol = proven.symbol AND status.channel = proven.channel
    AND status.starts >= proven.valid_from_ns;
