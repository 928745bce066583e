-- Sizes as venues that quote contracts send them; the converted ones stand beside them.
ALTER TABLE md_orderbook_depth_store {{cluster}}
    ADD COLUMN IF NOT EXISTS raw_bv Array(Float64) COMMENT 'bid sizes as sent, where the venue quotes contracts' CODEC(ZSTD(1)) AFTER av,
    ADD COLUMN IF NOT EXISTS raw_av Array(Float64) COMMENT 'ask sizes as sent, where the venue quotes contracts' CODEC(ZSTD(1)) AFTER raw_bv;

ALTER TABLE md_trades_store {{cluster}}
    ADD COLUMN IF NOT EXISTS raw_size Nullable(Float64) COMMENT 'as sent, where the venue quotes contracts' CODEC(ZSTD(1)) AFTER qty;

ALTER TABLE md_liquidations_store {{cluster}}
    ADD COLUMN IF NOT EXISTS raw_size Nullable(Float64) COMMENT 'as sent, where the venue quotes contracts' CODEC(ZSTD(1)) AFTER qty;

CREATE OR REPLACE VIEW md_orderbook_depth {{cluster}} AS
SELECT * FROM md_orderbook_depth_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW md_trades {{cluster}} AS
SELECT * FROM md_trades_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW md_liquidations {{cluster}} AS
SELECT * FROM md_liquidations_store FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
