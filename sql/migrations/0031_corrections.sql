-- Rows that an operator removed, as they were, so that each removal can be undone.
CREATE TABLE IF NOT EXISTS _corrections {{cluster}}
(
    id           String                   COMMENT 'names the correction' CODEC(ZSTD(1)),
    dataset      LowCardinality(String)   COMMENT 'books or trades' CODEC(ZSTD(1)),
    exchange     LowCardinality(String)   COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol       LowCardinality(String)   COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    row_id       String                   COMMENT 'sequence of the book, id of the trade' CODEC(ZSTD(1)),
    hour         DateTime('UTC')          COMMENT 'first instant of the hour that held it' CODEC(ZSTD(1)),
    reason       String                   COMMENT 'why, as the operator gave it' CODEC(ZSTD(1)),
    operator     String                   COMMENT 'user name of the operator' CODEC(ZSTD(1)),
    row_tables   Array(String)            COMMENT 'the table of each removed row' CODEC(ZSTD(1)),
    row_contents Array(String)            COMMENT 'each removed row, as JSON' CODEC(ZSTD(1)),
    corrected_at DateTime64(3, 'UTC')     COMMENT 'when it was removed' CODEC(ZSTD(1)),
    undone_at    Nullable(DateTime64(3, 'UTC')) COMMENT 'when it was put back; NULL: it was not' CODEC(ZSTD(1)),
    inserted_at  DateTime64(3, 'UTC')     DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(ZSTD(1))
)
ENGINE = {{engine}}ReplacingMergeTree(inserted_at)
ORDER BY id;
