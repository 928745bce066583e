-- Books and trades of an hour that a replay of its raw frames gives and that are not stored, that are stored and that it
-- does not give, or that it gives otherwise. Judged where both prove the feed: a replay that begins in mid-stream has no
-- book before the next snapshot, and what a collector called down it may have lost. Trades loaded from files are on no tape.
-- A number that the venue gives again at another time is another book or trade.
WITH
    toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts,
    starts + INTERVAL 1 HOUR AS ends,
    toUnixTimestamp(starts) * 1000000000 AS starts_ns,
    by_replay AS
    (
        SELECT exchange, if(channel = 'book', 'books', 'trades') AS dataset, symbol, valid_from, max(valid_to) AS valid_to
        FROM
        (
            SELECT
                toString(exchange) AS exchange, symbol, JSONExtractString(message, 'channel') AS channel,
                JSONExtractInt(message, 'started_ns') AS valid_from, JSONExtractInt(message, 'ended_ns') AS valid_to
            FROM md_replayed
            WHERE hour = starts AND dataset = 'status'
        )
        WHERE channel IN ('book', 'trades')
        GROUP BY exchange, dataset, symbol, valid_from
    ),
    by_live AS
    (
        SELECT
            toString(exchange) AS exchange, if(channel = 'book', 'books', 'trades') AS dataset, toString(symbol) AS symbol,
            valid_from_ns AS valid_from, valid_to_ns AS valid_to
        FROM md_feed_proven
        WHERE channel IN ('book', 'trades')
    ),
    live AS
    (
        SELECT
            toString(exchange) AS exchange, 'books' AS dataset, toString(symbol) AS symbol, toString(sequence) AS id,
            toUnixTimestamp64Nano(received_at) AS received_ns,
            toUnixTimestamp64Nano(venue_time) AS venue_ns,
            cityHash64((b, bv, a, av, toUnixTimestamp64Nano(venue_time))) AS content
        FROM md_orderbook_depth
        WHERE timestamp >= starts AND timestamp < ends
            AND exchange IN (SELECT exchange FROM md_replayed WHERE hour = starts)
        UNION ALL
        SELECT
            toString(exchange), 'trades', toString(symbol), id, toUnixTimestamp64Nano(received_at),
            toUnixTimestamp64Nano(venue_time),
            cityHash64((price, qty, toString(side), toUnixTimestamp64Nano(venue_time)))
        FROM md_trades
        WHERE timestamp >= starts AND timestamp < ends AND provenance != 'archive'
            AND exchange IN (SELECT exchange FROM md_replayed WHERE hour = starts)
    ),
    replayed AS
    (
        SELECT toString(exchange) AS exchange, toString(dataset) AS dataset, symbol, id, received_ns, venue_ns, content, message
        FROM md_replayed
        WHERE hour = starts AND dataset IN ('books', 'trades')
            AND venue_ns >= starts_ns AND venue_ns < starts_ns + 3600000000000
    ),
    versions AS
    (
        SELECT
            exchange, dataset, symbol, id, if(venue_ns = received_ns, 0, intDiv(venue_ns, 1000000)) AS occurrence, 1 AS is_stored, content, '' AS message,
            by_replay.valid_from > 0 AND received_ns <= by_replay.valid_to AS is_due
        FROM live
        ASOF LEFT JOIN by_replay
            ON live.exchange = by_replay.exchange AND live.dataset = by_replay.dataset
            AND live.symbol = by_replay.symbol AND live.received_ns >= by_replay.valid_from
        UNION ALL
        SELECT
            exchange, dataset, symbol, id, if(venue_ns = received_ns, 0, intDiv(venue_ns, 1000000)) AS occurrence, 0 AS is_stored, content, message,
            by_live.valid_from > 0 AND received_ns <= by_live.valid_to AS is_due
        FROM replayed
        ASOF LEFT JOIN by_live
            ON replayed.exchange = by_live.exchange AND replayed.dataset = by_live.dataset
            AND replayed.symbol = by_live.symbol AND replayed.received_ns >= by_live.valid_from
    )
SELECT
    multiIf(stored = 0, 'not stored', replayed = 0, 'not in the replay', 'not the same') AS fault,
    dataset, exchange, symbol, id, substring(message, 1, 200) AS replayed_message, count() OVER () AS bad_rows
FROM
(
    SELECT
        exchange, dataset, symbol, id, countIf(is_stored) AS stored, countIf(NOT is_stored) AS replayed,
        max(is_due) AS due, max(message) AS message,
        stored > 0 AND replayed > 0 AND anyIf(content, is_stored) != anyIf(content, NOT is_stored) AS differs
    FROM versions
    GROUP BY exchange, dataset, symbol, id, occurrence
)
WHERE (differs OR (due AND (stored = 0 OR replayed = 0)))
    AND (dataset, exchange, symbol, id) NOT IN (
        SELECT toString(dataset), toString(exchange), toString(symbol), row_id FROM _corrections FINAL WHERE undone_at IS NULL)
ORDER BY exchange, dataset, symbol, id
LIMIT {limit:UInt64}
SETTINGS max_bytes_before_external_group_by = 1000000000 -- of a busy hour, the rest goes to disk
