-- Books as their changes: from the last snapshot before a time on, applied in the order of sequence, they give the whole
-- book of that time (md_book_at). A snapshot has a key of its own beside the update of the same sequence, as each of two
-- collectors makes its own. Occurrence, shadow and precedence are as in the table of books.
CREATE TABLE IF NOT EXISTS md_book_increments_store {{cluster}}
(
    exchange          LowCardinality(String)      COMMENT 'venue id' CODEC(ZSTD(1)),
    symbol            LowCardinality(String)      COMMENT 'canonical symbol: BTC-USDT, BTC-USDT-PERP' CODEC(ZSTD(1)),
    kind              LowCardinality(String)      COMMENT 'snapshot: all that is known of the book, at each join, after each gap and every ten minutes; update: what changed' CODEC(ZSTD(1)),
    b                 Array(Float64)              COMMENT 'bid prices' CODEC(ZSTD(3)),
    bv                Array(Float64)              COMMENT 'bid sizes in base units, absolute; 0 deletes the level' CODEC(ZSTD(3)),
    a                 Array(Float64)              COMMENT 'ask prices' CODEC(ZSTD(3)),
    av                Array(Float64)              COMMENT 'ask sizes in base units, absolute; 0 deletes the level' CODEC(ZSTD(3)),
    timestamp         DateTime64(3, 'UTC')        COMMENT 'venue time; receive time where the venue sends none' CODEC(Delta, ZSTD(1)),
    first_sequence    Nullable(UInt64)            COMMENT 'the venue''s id of the first of several updates in one message; NULL where it states none' CODEC(Delta, ZSTD(1)),
    sequence          UInt64                      COMMENT 'the venue''s update id after this update' CODEC(Delta, ZSTD(1)),
    previous_sequence Nullable(UInt64)            COMMENT 'sequence of the update before; NULL where the chain starts' CODEC(Delta, ZSTD(1)),
    venue_time        DateTime64(9, 'UTC')        COMMENT 'venue time, as fine as the venue states it' CODEC(Delta, ZSTD(1)),
    received_at       DateTime64(9, 'UTC')        COMMENT 'when the collector received it' CODEC(Delta, ZSTD(1)),
    _topic            LowCardinality(String)      COMMENT 'Kafka topic of the message' CODEC(ZSTD(1)),
    _partition        UInt32                      COMMENT 'Kafka partition of the message' CODEC(ZSTD(1)),
    _offset           UInt64                      COMMENT 'Kafka offset of the message' CODEC(Delta, ZSTD(1)),
    inserted_at       DateTime64(3, 'UTC')        DEFAULT now64(3, 'UTC') COMMENT 'when this row was written' CODEC(Delta, ZSTD(1)),
    precedence        UInt64                      MATERIALIZED bitNot(toUInt64(toUnixTimestamp64Nano(received_at))) COMMENT 'of equal rows the first received is kept' CODEC(Delta, ZSTD(1)),
    occurrence        UInt64                      MATERIALIZED if(venue_time = received_at, toUInt32(cityHash64(b, bv, a, av)), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the levels where that is the receive time: the same sequence in another occurrence is another change' CODEC(Delta, ZSTD(1)),
    shadow            Bool                        MATERIALIZED _topic = '' AND toUnixTimestamp64Milli(timestamp) % 86400000 = 0 AND toUnixTimestamp64Milli(timestamp) - intDiv(toUnixTimestamp64Nano(venue_time), 1000000) BETWEEN 1 AND 60000 COMMENT 'stands at the begin of the next day, only to find its twin there' CODEC(ZSTD(1)),
    INDEX by_time timestamp TYPE minmax GRANULARITY 1,
    INDEX by_receipt received_at TYPE minmax GRANULARITY 1,
    INDEX by_kind kind TYPE set(2) GRANULARITY 1
)
ENGINE = {{engine}}ReplacingMergeTree(precedence)
PARTITION BY toDate(timestamp)
ORDER BY (exchange, symbol, sequence, occurrence, kind);

CREATE VIEW IF NOT EXISTS md_book_increments {{cluster}} AS
SELECT * FROM md_book_increments_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- The book of a symbol as a collector knew it at a time: SELECT * FROM md_book_at(exchange = 'binance',
-- symbol = 'BTC-USDT', at = '2026-11-30 12:34:56.789', depth = 200). From the last snapshot received before on, the last
-- size stated of each price. Doubled rows do no harm, so they are read as they lie. Five seconds: of two collectors one may
-- receive an update before the other makes the snapshot that it follows; what is older by its number or by venue time is
-- not part of it.
CREATE VIEW IF NOT EXISTS md_book_at {{cluster}} AS
WITH
    toDateTime64({at:String}, 9, 'UTC') AS asked,
    (
        SELECT (sequence, venue_time, received_at, timestamp)
        FROM md_book_increments_store
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND kind = 'snapshot' AND NOT shadow
            AND received_at <= asked AND timestamp > asked - INTERVAL 1 DAY AND timestamp < asked + INTERVAL 1 DAY
        ORDER BY received_at DESC
        LIMIT 1
    ) AS start,
    changes AS
    (
        SELECT *
        FROM md_book_increments_store
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
            AND received_at <= asked AND received_at >= start.3 - INTERVAL 5 SECOND
            AND timestamp >= start.4 - INTERVAL 1 MINUTE AND timestamp < asked + INTERVAL 1 DAY
            AND if(kind = 'snapshot', sequence = start.1 AND received_at = start.3, sequence > start.1 AND venue_time >= start.2)
    ),
    applied AS
    (
        SELECT
            max(sequence) AS last, argMax(venue_time, sequence) AS last_time, max(received_at) AS last_receipt,
            uniqExactIf(sequence, kind = 'update') AS followed,
            -- Each update follows one that is here.
            hasAll(groupUniqArray(sequence), groupUniqArrayIf(previous_sequence, kind = 'update')) AS chained
        FROM changes
    )
SELECT
    side, row_number() OVER (PARTITION BY side ORDER BY if(side = 'bid', -price, price)) AS level, price, size,
    last AS sequence, last_time AS venue_time, last_receipt AS received_at,
    start.3 AS snapshot_at, followed AS updates, chained AS is_chained
FROM
(
    SELECT change.1 AS side, change.2 AS price, argMax(change.3, (sequence, change.4)) AS size
    FROM changes
    ARRAY JOIN arrayConcat(
        arrayMap((price, size, place) -> ('bid', price, size, place), b, bv, arrayEnumerate(b)),
        arrayMap((price, size, place) -> ('ask', price, size, place), a, av, arrayEnumerate(a))) AS change
    GROUP BY side, price
    HAVING size > 0
) AS levels
CROSS JOIN applied
QUALIFY level <= {depth:UInt32}
ORDER BY side DESC, level;
