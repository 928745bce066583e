{{include stream_begin stream=md_instruments_stream at=internal rows=instruments}}

CREATE TABLE md_instruments_stream {{cluster}}
(
    exchange          String                      COMMENT 'venue id',
    symbol            String                      COMMENT 'canonical symbol',
    venue_symbol      String                      COMMENT 'the venue''s own name',
    category          Nullable(String)            COMMENT 'the venue''s word for its list',
    base              String                      COMMENT 'base asset',
    quote             String                      COMMENT 'quote asset',
    kind              String                      COMMENT 'spot, perpetual, future, option',
    tick              Nullable(String)            COMMENT 'decimal text',
    step              Nullable(String)            COMMENT 'decimal text',
    contract_size     Nullable(String)            COMMENT 'decimal text',
    multiplier        Nullable(String)            COMMENT 'decimal text',
    inverse           Bool                        COMMENT 'worth quote, not base',
    settle            Nullable(String)            COMMENT 'what gains are paid in',
    status            Nullable(String)            COMMENT 'the venue''s own word',
    expiry            Nullable(String)            COMMENT 'YYYYMMDD',
    strike            Nullable(String)            COMMENT 'decimal text',
    right             Nullable(String)            COMMENT 'C or P',
    alias_of          Nullable(String)            COMMENT 'another name',
    underlying        Nullable(String)            COMMENT 'what its worth follows',
    asset_class       Nullable(String)            COMMENT 'of its base',
    {{include stream_columns}}
)
ENGINE = Null;

CREATE MATERIALIZED VIEW md_instruments_stream_instruments {{cluster}} TO md_instruments_store AS
SELECT
    exchange, symbol, venue_symbol, category, base, quote, kind,
    toFloat64OrNull(stream.tick) AS tick, toFloat64OrNull(stream.step) AS step,
    toFloat64OrNull(stream.contract_size) AS contract_size, toFloat64OrNull(stream.multiplier) AS multiplier,
    inverse, settle, status, expiry, toFloat64OrNull(stream.strike) AS strike, right, alias_of, underlying, asset_class,
    cityHash64(concat(toString(tuple(stream.venue_symbol, stream.category, stream.base, stream.quote, stream.kind, stream.tick, stream.step, stream.contract_size, stream.multiplier, stream.inverse, stream.settle, stream.status, stream.expiry, stream.strike, stream.right, stream.alias_of)), ifNull(stream.underlying, ''), ifNull(stream.asset_class, ''))) AS version,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS first_seen_at,
    fromUnixTimestamp64Milli(intDiv(received_ns, 1000000), 'UTC') AS last_seen_at,
    _topic, _partition, _offset
FROM md_instruments_stream AS stream
WHERE refusal = '';

{{include stream_refused stream=md_instruments_stream}}

{{include stream_kafka stream=md_instruments_stream at=internal topics=instruments}}

CREATE MATERIALIZED VIEW md_instruments_stream_kafka_view {{cluster}} TO md_instruments_stream AS
SELECT
    exchange, symbol, venue_symbol, category, base, quote, kind, tick, step, contract_size, multiplier, inverse, settle, status, expiry, strike, right, alias_of, underlying, asset_class,
    {{include stream_judged time_ms=intDiv(received_ns,1000000)}}
FROM
(
    {{include stream_read}}
    SELECT
        message, _topic, _partition, _offset, _timestamp_ms,
        {{parsed message}},
        exchange != '' AND symbol != '' AND venue_symbol != '' AND base != '' AND quote != ''
            AND kind IN ('spot', 'perpetual', 'future', 'option')
            AS sound
    FROM md_instruments_stream_kafka
);
