-- What each venue lists, dated: one row for each version of an instrument, with the time in which it was seen. A list is
-- published again and again: equal rows collapse, and only a change makes a new one.
CREATE TABLE IF NOT EXISTS md_instruments_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            String                      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    venue_symbol      String                      COMMENT 'the venue''s own name' CODEC(ZSTD(1)),
    category          Nullable(String)            COMMENT 'the venue''s word for the list it is in, where names repeat' CODEC(ZSTD(1)),
    base              LowCardinality(String)      COMMENT 'base asset' CODEC(ZSTD(1)),
    quote             LowCardinality(String)      COMMENT 'quote asset' CODEC(ZSTD(1)),
    kind              LowCardinality(String)      COMMENT 'spot, perpetual, future or option' CODEC(ZSTD(1)),
    tick              Nullable(Float64)           COMMENT 'price increment, in quote units' CODEC(ZSTD(1)),
    step              Nullable(Float64)           COMMENT 'size increment, in the venue''s units' CODEC(ZSTD(1)),
    contract_size     Nullable(Float64)           COMMENT 'what a size of 1 stands for; NULL: a base unit' CODEC(ZSTD(1)),
    multiplier        Nullable(Float64)           COMMENT 'factor on contract_size' CODEC(ZSTD(1)),
    inverse           Bool                        COMMENT 'a contract is worth quote, not base' CODEC(ZSTD(1)),
    settle            Nullable(String)            COMMENT 'what gains are paid in' CODEC(ZSTD(1)),
    status            Nullable(String)            COMMENT 'the venue''s own word' CODEC(ZSTD(1)),
    expiry            Nullable(String)            COMMENT 'YYYYMMDD of a dated instrument' CODEC(ZSTD(1)),
    strike            Nullable(Float64)           COMMENT 'of an option' CODEC(ZSTD(1)),
    right             Nullable(String)            COMMENT 'C or P of an option' CODEC(ZSTD(1)),
    alias_of          Nullable(String)            COMMENT 'the venue''s name under which its data is sent, where another' CODEC(ZSTD(1)),
    version           UInt64                      COMMENT 'hash of all that the venue says about it' CODEC(ZSTD(1)),
    first_seen_at     SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'first list that says so' CODEC(ZSTD(1)),
    last_seen_at      SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'last list that says so' CODEC(ZSTD(1)),
    _topic            LowCardinality(String)      COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    _partition        UInt32                      COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    _offset           UInt64                      COMMENT 'Kafka offset of the message' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}AggregatingMergeTree
ORDER BY (exchange, symbol, version);

-- Of two versions of an instrument the later one holds from when it was first seen.
CREATE VIEW IF NOT EXISTS md_instruments {{cluster}} AS
SELECT
    * EXCEPT (version),
    first_seen_at AS valid_from,
    leadInFrame(toNullable(first_seen_at)) OVER (
        PARTITION BY exchange, symbol ORDER BY first_seen_at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS valid_to
FROM md_instruments_store FINAL;
