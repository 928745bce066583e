-- Whether a venue does as documented: limits met, fields never seen before, how often its channels send.
ALTER TABLE md_feed_stats_store {{cluster}}
    ADD COLUMN IF NOT EXISTS limits_met UInt64 COMMENT 'answers by which the venue limits us (HTTP 429, 418) since the start; of the process' CODEC(Delta, ZSTD(1)) AFTER venue_lag_ms,
    ADD COLUMN IF NOT EXISTS unfamiliar Map(LowCardinality(String), UInt64) COMMENT 'frames looked at that hold a field never seen before, since the start, by field' CODEC(ZSTD(1)) AFTER limits_met,
    ADD COLUMN IF NOT EXISTS cadence_ms Map(LowCardinality(String), Float64) COMMENT 'mean time between two updates of the most active symbols, by kind of channel' CODEC(ZSTD(1)) AFTER unfamiliar;

CREATE OR REPLACE VIEW md_feed_stats {{cluster}} AS
SELECT * FROM md_feed_stats_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
