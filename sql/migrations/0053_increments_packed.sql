-- A level is a price and a size: as whole numbers of the last digit that the row needs, prices as the distance from the level
-- before, they take half the bytes of floats. They are packed as they are inserted (columns b, bv, a, av) and unpacked by the
-- view: a whole number below 2^53 over a power of ten is the very float that the decimal text gives. Sizes of inverse
-- contracts have 12 decimals but are round amounts of quote: these are kept where they give back each size of the row.
-- The receipt is said by precedence alone: it is the same number, and its last digits are the dearest of a row.
-- What is computed of them is a DEFAULT: a mutation computes what is MATERIALIZED once more, and has no levels to do it from.
-- Nothing is written again: rows from before lie in the columns called _unpacked, which are empty in new ones.
ALTER TABLE md_book_increments_store {{cluster}}
    ADD COLUMN IF NOT EXISTS b Array(Float64) EPHEMERAL COMMENT 'bid prices, to insert' AFTER kind,
    ADD COLUMN IF NOT EXISTS bv Array(Float64) EPHEMERAL COMMENT 'bid sizes, to insert' AFTER b,
    ADD COLUMN IF NOT EXISTS a Array(Float64) EPHEMERAL COMMENT 'ask prices, to insert' AFTER bv,
    ADD COLUMN IF NOT EXISTS av Array(Float64) EPHEMERAL COMMENT 'ask sizes, to insert' AFTER a,
    ADD COLUMN IF NOT EXISTS received_at DateTime64(9, 'UTC') EPHEMERAL COMMENT 'when the collector received it, to insert' AFTER venue_time,
    ADD COLUMN IF NOT EXISTS price_digits UInt8 DEFAULT arrayFirst(k -> k = 255 OR arrayAll(x -> x < 9e15 / intExp10(k) AND round(x * intExp10(k)) / intExp10(k) = x, arrayConcat(b, a)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]) COMMENT 'digits after the point of the prices; 255: prices are the bits of floats' CODEC(ZSTD(1)) AFTER kind,
    ADD COLUMN IF NOT EXISTS size_digits UInt8 DEFAULT multiIf((arrayFirst(k -> k = 255 OR arrayAll(x -> x < 9e15 / intExp10(k) AND round(x * intExp10(k)) / intExp10(k) = x, arrayConcat(bv, av)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]) AS plain) <= 8 OR price_digits = 255, plain, NOT arrayAll((p, x) -> round(round(p * x) * 1e12 / p) / 1e12 = x, arrayConcat(b, a), arrayConcat(bv, av)), plain, arrayAll((p, x) -> round(round(p * x) * 1e12 / p) / 1e12 = x AND round(p * x) % 100 = 0, arrayConcat(b, a), arrayConcat(bv, av)), 102, arrayAll((p, x) -> round(round(p * x) * 1e12 / p) / 1e12 = x AND round(p * x) % 10 = 0, arrayConcat(b, a), arrayConcat(bv, av)), 101, 100) COMMENT 'digits after the point of the sizes; 100 + n: sizes are amounts of 10^n quote, rounded to 12 digits of base; 255: the bits of floats' CODEC(ZSTD(1)) AFTER price_digits,
    ADD COLUMN IF NOT EXISTS bid_prices Array(Int64) DEFAULT arrayPopFront(arrayDifference(arrayPushFront(arrayMap(x -> if(price_digits = 255, reinterpretAsInt64(x), toInt64(round(x * intExp10(price_digits)))), b), 0))) COMMENT 'bid prices without their point, each less the one before' CODEC(T64, ZSTD(3)) AFTER size_digits,
    ADD COLUMN IF NOT EXISTS bid_sizes Array(Int64) DEFAULT arrayMap((p, x) -> multiIf(size_digits = 255, reinterpretAsInt64(x), size_digits >= 100, toInt64(round(p * x) / intExp10(size_digits - 100)), toInt64(round(x * intExp10(size_digits)))), b, bv) COMMENT 'bid sizes without their point; 0 deletes the level' CODEC(T64, ZSTD(3)) AFTER bid_prices,
    ADD COLUMN IF NOT EXISTS ask_prices Array(Int64) DEFAULT arrayPopFront(arrayDifference(arrayPushFront(arrayMap(x -> if(price_digits = 255, reinterpretAsInt64(x), toInt64(round(x * intExp10(price_digits)))), a), 0))) COMMENT 'ask prices without their point, each less the one before' CODEC(T64, ZSTD(3)) AFTER bid_sizes,
    ADD COLUMN IF NOT EXISTS ask_sizes Array(Int64) DEFAULT arrayMap((p, x) -> multiIf(size_digits = 255, reinterpretAsInt64(x), size_digits >= 100, toInt64(round(p * x) / intExp10(size_digits - 100)), toInt64(round(x * intExp10(size_digits)))), a, av) COMMENT 'ask sizes without their point; 0 deletes the level' CODEC(T64, ZSTD(3)) AFTER ask_prices,
    ADD INDEX IF NOT EXISTS by_precedence precedence TYPE minmax GRANULARITY 1;
ALTER TABLE md_book_increments_store {{cluster}}
    MODIFY COLUMN precedence UInt64 DEFAULT bitNot(toUInt64(toUnixTimestamp64Nano(received_at))) COMMENT 'of equal rows the first received is kept; the receive time in ns is bitNot of it' CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN occurrence UInt64 DEFAULT if(venue_time = received_at, toUInt32(cityHash64(b, bv, a, av)), toUInt64(toUnixTimestamp64Milli(timestamp))) COMMENT 'timestamp in ms, or a hash of the levels where that is the receive time: the same sequence in another occurrence is another change' CODEC(Delta, ZSTD(1));
ALTER TABLE md_book_increments_store {{cluster}}
    DROP COLUMN IF EXISTS received_at_unpacked;

CREATE OR REPLACE VIEW md_book_increments {{cluster}} AS
SELECT
    exchange, symbol, kind,
    arrayConcat(b_unpacked, if(price_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), arrayCumSum(bid_prices)), arrayMap(x -> x / intExp10(price_digits), arrayCumSum(bid_prices)))) AS b,
    arrayConcat(bv_unpacked, multiIf(
        size_digits < 100, arrayMap(x -> x / intExp10(size_digits), bid_sizes),
        size_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), bid_sizes),
        arrayMap((p, x) -> round(x * intExp10(size_digits - 100) * 1e12 / (p / intExp10(price_digits))) / 1e12, arrayCumSum(bid_prices), bid_sizes))) AS bv,
    arrayConcat(a_unpacked, if(price_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), arrayCumSum(ask_prices)), arrayMap(x -> x / intExp10(price_digits), arrayCumSum(ask_prices)))) AS a,
    arrayConcat(av_unpacked, multiIf(
        size_digits < 100, arrayMap(x -> x / intExp10(size_digits), ask_sizes),
        size_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), ask_sizes),
        arrayMap((p, x) -> round(x * intExp10(size_digits - 100) * 1e12 / (p / intExp10(price_digits))) / 1e12, arrayCumSum(ask_prices), ask_sizes))) AS av,
    timestamp, first_sequence, sequence, previous_sequence, venue_time,
    fromUnixTimestamp64Nano(toInt64(bitNot(precedence)), 'UTC') AS received_at, provenance,
    _topic, _partition, _offset, inserted_at, received_at AS received_time
FROM md_book_increments_store FINAL
WHERE NOT shadow
SETTINGS do_not_merge_across_partitions_select_final = 1;

ALTER TABLE md_book_increments {{cluster}}
    COMMENT COLUMN received_time 'when the collector received it',
    COMMENT COLUMN received_at 'received_time by its name of before';

-- The book of one symbol as it was known at a time: SELECT * FROM md_book_at(exchange = 'binance', symbol = 'BTC-USDT',
-- at = '2026-11-30 12:34:56.789', depth = 200). From the last snapshot received before on, the last size stated of each
-- price; doubled rows do no harm, so they are read as they lie. Five seconds: of two collectors one may receive an update
-- before the other makes the snapshot that it follows; what is older by its number or by venue time is not part of it.
-- received_at is when the last of what the book says was known first: of a change that two collectors stored the earlier
-- receipt counts, as in the archive, which holds each once. The greater a precedence, the earlier the receipt.
-- What holds of all levels is counted in a group of its own (side 2), so that the changes are read once.
CREATE OR REPLACE VIEW md_book_at {{cluster}} AS
WITH
    toDateTime64({at:String}, 9, 'UTC') AS asked,
    bitNot(toUInt64(toUnixTimestamp64Nano(asked))) AS asked_precedence,
    (
        SELECT (sequence, any(venue_time), max(precedence) AS first_precedence, any(timestamp))
        FROM md_book_increments_store
        PREWHERE kind = 'snapshot'
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
            AND precedence >= asked_precedence AND timestamp > asked - INTERVAL 1 DAY AND timestamp < asked + INTERVAL 1 DAY
        GROUP BY sequence, occurrence
        ORDER BY first_precedence
        LIMIT 1
    ) AS start
SELECT
    stated.1 AS side, stated.2 AS level, stated.3 AS price, stated.4 AS size,
    sequence, venue_time, received_at, fromUnixTimestamp64Nano(toInt64(bitNot(start.3)), 'UTC') AS snapshot_at,
    updates, is_chained
FROM
(
    SELECT
        arraySlice(arrayReverseSort(groupArrayIf((price, size), side_number = 0)), 1, {depth:UInt32}) AS bids,
        arraySlice(arraySort(groupArrayIf((price, size), side_number = 1)), 1, {depth:UInt32}) AS asks,
        max(last) AS sequence, max(last_time) AS venue_time,
        fromUnixTimestamp64Nano(toInt64(bitNot(max(last_precedence))), 'UTC') AS received_at,
        max(count) - 1 AS updates, min(chained) AS is_chained
    FROM
    (
        SELECT
            side_number, price, argMax(stated_size, (number, place)) AS size,
            max(number) AS last, argMax(since, number) AS last_time,
            maxMapIf(map(number, first_precedence), side_number = 2) AS receipts, length(receipts) AS count,
            arrayMin(mapValues(receipts)) AS last_precedence,
            -- Each update follows one that is here.
            uniqExactArrayIf([number, before], side_number = 2) = count AS chained
    FROM
    (
        SELECT
            sequence AS number, venue_time AS since, precedence AS first_precedence,
            if(kind = 'update', ifNull(previous_sequence, sequence), sequence) AS before,
            arrayConcat(b_unpacked, if(price_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), arrayCumSum(bid_prices)), arrayMap(x -> x / intExp10(price_digits), arrayCumSum(bid_prices)))) AS b,
    arrayConcat(bv_unpacked, multiIf(
        size_digits < 100, arrayMap(x -> x / intExp10(size_digits), bid_sizes),
        size_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), bid_sizes),
        arrayMap((p, x) -> round(x * intExp10(size_digits - 100) * 1e12 / (p / intExp10(price_digits))) / 1e12, arrayCumSum(bid_prices), bid_sizes))) AS bv,
    arrayConcat(a_unpacked, if(price_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), arrayCumSum(ask_prices)), arrayMap(x -> x / intExp10(price_digits), arrayCumSum(ask_prices)))) AS a,
    arrayConcat(av_unpacked, multiIf(
        size_digits < 100, arrayMap(x -> x / intExp10(size_digits), ask_sizes),
        size_digits = 255, arrayMap(x -> reinterpretAsFloat64(x), ask_sizes),
        arrayMap((p, x) -> round(x * intExp10(size_digits - 100) * 1e12 / (p / intExp10(price_digits))) / 1e12, arrayCumSum(ask_prices), ask_sizes))) AS av
        FROM md_book_increments_store
        WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND NOT shadow
            AND precedence >= asked_precedence AND precedence <= start.3 + 5000000000
            AND timestamp >= start.4 - INTERVAL 1 MINUTE AND timestamp < asked + INTERVAL 1 DAY
            AND if(kind = 'snapshot', sequence = start.1 AND precedence = start.3, sequence > start.1 AND venue_time >= start.2)
    )
    ARRAY JOIN
        arrayConcat(arrayWithConstant(length(b), 0), arrayWithConstant(length(a), 1), [2]) AS side_number,
        arrayConcat(b, a, [0]) AS price, arrayConcat(bv, av, [1]) AS stated_size, arrayEnumerate(arrayConcat(b, a, [0])) AS place
    GROUP BY side_number, price
    HAVING size > 0
    )
)
ARRAY JOIN arrayConcat(
    arrayMap((one, number) -> ('bid', number, one.1, one.2), bids, arrayEnumerate(bids)),
    arrayMap((one, number) -> ('ask', number, one.1, one.2), asks, arrayEnumerate(asks))) AS stated
ORDER BY side DESC, level;
