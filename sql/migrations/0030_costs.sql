-- What each part of an hour cost when it was last built.
CREATE TABLE IF NOT EXISTS _costs {{cluster}}
(
    hour        DateTime('UTC')           COMMENT 'first instant of the hour' CODEC(Delta, ZSTD(1)),
    part        LowCardinality(String)    COMMENT 'spread_hourly, hour_checks, parquet_archive, ...' CODEC(ZSTD(1)),
    seconds     Float64                   COMMENT 'time that it took, in seconds' CODEC(ZSTD(1)),
    rows        UInt64                    COMMENT 'rows that it made' CODEC(ZSTD(1)),
    bytes       UInt64                    COMMENT 'bytes that these take: of files; 0 where they are rows of a table' CODEC(ZSTD(1)),
    inserted_at DateTime64(3, 'UTC')      DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(inserted_at)
ORDER BY (hour, part);
