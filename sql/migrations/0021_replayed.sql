-- What the raw frames of an hour gave when they were replayed: messages of books and trades, and of the feeds' statuses,
-- which say from when to when the replay proves them. The check `replay_equals_live` writes an hour and compares it; it
-- stays for a day, for whoever looks into a difference.
CREATE TABLE IF NOT EXISTS md_replayed {{cluster}}
(
    hour              DateTime('UTC')             COMMENT 'the hour that was checked' CODEC(Delta, ZSTD(1)),
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    dataset           LowCardinality(String)      COMMENT 'books, trades or status' CODEC(ZSTD(1)),
    message           String                      COMMENT 'as the replay would have published it' CODEC(ZSTD(3)),
    symbol            String                      MATERIALIZED JSONExtractString(message, 'symbol') COMMENT 'canonical symbol' CODEC(ZSTD(1)),
    id                String                      MATERIALIZED if(dataset = 'books', toString(JSONExtractUInt(message, 'sequence')), JSONExtractString(message, 'id')) COMMENT 'update id of a book, id of a trade' CODEC(ZSTD(1)),
    venue_ns          Int64                       MATERIALIZED JSONExtractInt(message, 'venue_ns') COMMENT 'venue time, ns since 1970' CODEC(Delta, ZSTD(1)),
    received_ns       Int64                       MATERIALIZED JSONExtractInt(message, 'received_ns') COMMENT 'receive time, ns since 1970' CODEC(Delta, ZSTD(1)),
    content           UInt64                      MATERIALIZED if(dataset = 'books',
        cityHash64(JSONExtract(message, 'Tuple(b Array(Float64), bv Array(Float64), a Array(Float64), av Array(Float64), venue_ns Int64)')),
        cityHash64(JSONExtract(message, 'Tuple(price Float64, qty Float64, side String, venue_ns Int64)'))) COMMENT 'hash of what must be as stored' CODEC(ZSTD(1)),
    inserted_at       DateTime('UTC')             DEFAULT now('UTC') COMMENT 'when it was replayed' CODEC(ZSTD(1))
)
ENGINE = {{engine}}MergeTree
PARTITION BY toYYYYMMDD(hour) * 100 + toHour(hour)
ORDER BY (exchange, dataset, symbol, id)
TTL inserted_at + INTERVAL 1 DAY;
