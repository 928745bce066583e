-- The book of one symbol as it was known at a time: SELECT * FROM md_book_at(exchange = 'binance', symbol = 'BTC-USDT',
-- at = '2026-11-30 12:34:56.789', depth = 200). From the last snapshot received before on, the last size stated of each
-- price; doubled rows do no harm, so they are read as they lie. Five seconds: of two collectors one may receive an update
-- before the other makes the snapshot that it follows; what is older by its number or by venue time is not part of it.
-- A snapshot for which the venue states no time has that of its receipt, which is no bound for what follows it.
-- received_at is when the last of what the book says was known first: of a change that two collectors stored the earlier
-- receipt counts, as in the archive, which holds each once. The greater a precedence, the earlier the receipt.
-- What holds of all levels is counted in a group of its own (side 2), so that the changes are read once.
CREATE OR REPLACE VIEW md_book_at {{cluster}} AS
WITH
    toDateTime64({at:String}, 9, 'UTC') AS asked,
    bitNot(toUInt64(toUnixTimestamp64Nano(asked))) AS asked_precedence,
    (
        SELECT
            (
                sequence, any(venue_time), max(precedence) AS first_precedence, any(timestamp),
                max(toUnixTimestamp64Nano(venue_time) = toInt64(bitNot(precedence)))
            )
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
            AND if(kind = 'snapshot', sequence = start.1 AND precedence = start.3, sequence > start.1 AND (venue_time >= start.2 OR start.5 = 1))
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
