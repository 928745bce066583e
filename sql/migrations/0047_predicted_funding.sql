-- What else a venue states of a perpetual with its funding.
ALTER TABLE md_funding_store {{cluster}}
    ADD COLUMN IF NOT EXISTS predicted_rate Nullable(Float64) COMMENT 'fraction of the interval after the next payment, as the venue expects it; NULL where it states none' CODEC(ZSTD(1)) AFTER next_funding_at,
    ADD COLUMN IF NOT EXISTS last_price Nullable(Float64) COMMENT 'of the last trade, in quote units, where the same message states it' CODEC(ZSTD(1)) AFTER predicted_rate;

CREATE OR REPLACE VIEW md_funding {{cluster}} AS
SELECT * FROM md_funding_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
