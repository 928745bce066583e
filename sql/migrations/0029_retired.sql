-- Hours whose rows have left the warehouse: their archive is what there is. An hour that was restored is no longer one.
CREATE TABLE IF NOT EXISTS _retired {{cluster}}
(
    dataset     LowCardinality(String)    COMMENT 'dataset of the archive: books, trades, ...' CODEC(ZSTD(1)),
    hour        DateTime('UTC')           COMMENT 'first instant of the hour' CODEC(Delta, ZSTD(1)),
    retired_at  DateTime64(3, 'UTC')      COMMENT 'when its rows left' CODEC(Delta, ZSTD(1)),
    restored_at Nullable(DateTime64(3, 'UTC')) COMMENT 'when they were loaded back from the archive; NULL: they were not' CODEC(ZSTD(1)),
    inserted_at DateTime64(3, 'UTC')      DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(inserted_at)
ORDER BY (hour, dataset);
