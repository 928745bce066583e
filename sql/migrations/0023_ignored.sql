-- Frames that a collector leaves out by design are counted by kind, so that nothing is dropped in silence.
ALTER TABLE md_feed_stats_store {{cluster}}
    ADD COLUMN IF NOT EXISTS ignored Map(LowCardinality(String), UInt64) COMMENT 'frames dropped by design since the start, by kind' CODEC(ZSTD(1)) AFTER dead_letters;

CREATE OR REPLACE VIEW md_feed_stats {{cluster}} AS
SELECT * FROM md_feed_stats_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
