-- What everybody asks of prices. Best bid and ask of each venue as they were known at a time:
-- SELECT * FROM md_quotes_at(symbol = 'BTC-USD%', at = '2026-11-30 12:34:56'). The newest by receipt of what books and,
-- where they are collected, best prices said in the day before; the first receipt counts where there are two collectors.
-- It is proven as read.book has it: of some collector the interval that began last is valid and reaches to that time, but
-- for the seconds until it is stated again.
CREATE VIEW IF NOT EXISTS md_quotes_at {{cluster}} AS
WITH
    toDateTime64({at:String}, 9, 'UTC') AS asked,
    stated AS
    (
        SELECT
            exchange, symbol, channel, collector,
            argMax((state, ifNull(ended_time, asked)), started_time) AS last, last.1 = 'valid' AND last.2 + INTERVAL 15 SECOND >= asked AS holds
        FROM md_feed_status
        WHERE symbol LIKE {symbol:String} AND channel IN ('book', 'bbo') AND started_time <= asked
        GROUP BY exchange, symbol, channel, collector
    ),
    proven AS (SELECT exchange, symbol, channel FROM stated GROUP BY exchange, symbol, channel HAVING max(holds))
SELECT
    exchange, symbol, newest.1 AS channel,
    newest.2 AS bid_price, newest.3 AS bid_size, newest.4 AS ask_price, newest.5 AS ask_size,
    (bid_price + ask_price) / 2 AS mid,
    ask_price - bid_price AS spread,
    10000 * (ask_price - bid_price) / ((bid_price + ask_price) / 2) AS spread_bps,
    (bid_size - ask_size) / (bid_size + ask_size) AS imbalance,
    newest.6 AS venue_time, newest.7 AS received_time,
    (exchange, symbol, channel) IN (SELECT exchange, symbol, channel FROM proven) AS is_proven
FROM
(
    SELECT
        exchange, symbol,
        argMax((feed, bid_price, bid_size, ask_price, ask_size, venue_time, received_time), (received_time, sequence)) AS newest
    FROM
    (
        SELECT exchange, symbol, 'book' AS feed, bid_price, bid_size, ask_price, ask_size, venue_time, received_time, sequence
        FROM md_top_of_book
        WHERE symbol LIKE {symbol:String} AND timestamp > asked - INTERVAL 1 DAY AND timestamp < asked + INTERVAL 1 DAY
            AND received_time <= asked
        UNION ALL
        SELECT exchange, symbol, 'bbo' AS feed, bid_price, bid_size, ask_price, ask_size, venue_time, received_time, sequence
        FROM md_quotes
        WHERE symbol LIKE {symbol:String} AND timestamp > asked - INTERVAL 1 DAY AND timestamp < asked + INTERVAL 1 DAY
            AND received_time <= asked
    )
    GROUP BY exchange, symbol
)
ORDER BY exchange, symbol;

-- The best bid and the best ask of all venues at even steps: SELECT * FROM md_best_across(symbol = 'BTC-USDT',
-- start = '2026-11-30 12:00:00', end = '2026-11-30 13:00:00', seconds = 1). Of each venue what was known at that time and
-- is proven for it; of equal prices the larger size, and of
-- equal sizes one of the two, always the same. At most 100,000 steps.
-- The last seconds before now are not proven yet: feeds are stated each five seconds.
CREATE VIEW IF NOT EXISTS md_best_across {{cluster}} AS
WITH
    toDateTime64({start:String}, 9, 'UTC') AS starts,
    toDateTime64({end:String}, 9, 'UTC') AS ends,
    toInt64({seconds:UInt32}) * 1000000000 AS step_ns,
    said AS
    (
        SELECT
            exchange, channel, toUnixTimestamp64Nano(received_time) AS received_ns,
            argMax((bid_price, bid_size, ask_price, ask_size), sequence) AS best
        FROM
        (
            SELECT exchange, 'book' AS channel, bid_price, bid_size, ask_price, ask_size, received_time, sequence
            FROM md_top_of_book
            WHERE symbol = {symbol:String} AND timestamp > starts - INTERVAL 1 DAY AND timestamp < ends + INTERVAL 1 DAY
                AND received_time < ends
            UNION ALL
            SELECT exchange, 'bbo' AS channel, bid_price, bid_size, ask_price, ask_size, received_time, sequence
            FROM md_quotes
            WHERE symbol = {symbol:String} AND timestamp > starts - INTERVAL 1 DAY AND timestamp < ends + INTERVAL 1 DAY
                AND received_time < ends
        )
        GROUP BY exchange, channel, received_ns
    ),
    asked AS
    (
        SELECT
            exchange, channel,
            arrayJoin(arrayMap(
                number -> toUnixTimestamp64Nano(starts) + number * step_ns,
                range(least(toUInt64(intDivOrZero(toUnixTimestamp64Nano(ends) - toUnixTimestamp64Nano(starts) + step_ns - 1, step_ns)), 100000)))) AS at_ns
        FROM (SELECT DISTINCT exchange, channel FROM said)
    ),
    known AS
    (
        SELECT asked.exchange AS exchange, asked.channel AS channel, asked.at_ns AS at_ns, said.best AS best, said.received_ns AS received_ns
        FROM asked
        ASOF JOIN said ON asked.exchange = said.exchange AND asked.channel = said.channel AND asked.at_ns >= said.received_ns
    ),
    judged AS
    (
        SELECT known.exchange AS exchange, at_ns, best, received_ns
        FROM known
        ASOF JOIN (SELECT exchange, channel, valid_from_ns, valid_to_ns FROM md_feed_proven WHERE symbol = {symbol:String}) AS proven
            ON known.exchange = proven.exchange AND known.channel = proven.channel AND known.at_ns >= proven.valid_from_ns
        WHERE at_ns <= valid_to_ns
    ),
    venues AS (SELECT at_ns, exchange, argMax(best, received_ns) AS best FROM judged GROUP BY at_ns, exchange)
SELECT
    fromUnixTimestamp64Nano(at_ns, 'UTC') AS at, {symbol:String} AS symbol,
    bid.3 AS bid_exchange, nullIf(bid.1, 0) AS bid_price, nullIf(bid.2, 0) AS bid_size,
    ask.3 AS ask_exchange, nullIf(ask.1, 0) AS ask_price, nullIf(-ask.2, 0) AS ask_size,
    (bid_price + ask_price) / 2 AS mid,
    ask_price - bid_price AS spread,
    10000 * (ask_price - bid_price) / ((bid_price + ask_price) / 2) AS spread_bps,
    venues
FROM
(
    SELECT
        at_ns,
        maxIf((ifNull(best.1, 0), ifNull(best.2, 0), exchange), isNotNull(best.1)) AS bid,
        minIf((ifNull(best.3, 0), -ifNull(best.4, 0), exchange), isNotNull(best.3)) AS ask,
        count() AS venues
    FROM venues
    GROUP BY at_ns
)
ORDER BY at_ns;
