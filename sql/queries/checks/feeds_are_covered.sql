-- Symbols whose book was proven for less than 95 % of the hour (why not, feed_causes says), and those that were wanted in
-- the hour ('exchange/symbol', or 'exchange/' for any of its symbols) and have no book in it. Where nobody knows what was
-- wanted, those are expected that had books in the three days before.
-- Of the hour that time is judged which lies between the first that was ever known of the feed and the build.
WITH
    toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts,
    built AS
    (
        SELECT toString(exchange) AS exchange, toString(symbol) AS symbol, updates, coverage,
            least(starts + INTERVAL 1 HOUR, toDateTime(inserted_at, 'UTC') - INTERVAL 10 SECOND) AS until
        FROM md_spread_hourly
        WHERE hour = starts
    ),
    known AS
    (
        SELECT toString(exchange) AS exchange, toString(symbol) AS symbol, toDateTime(min(started_at), 'UTC') AS since
        FROM md_feed_status_store
        WHERE channel = 'book' AND (exchange, symbol) IN (SELECT exchange, symbol FROM built WHERE coverage < 0.95)
        GROUP BY exchange, symbol
    ),
    judged AS
    (
        SELECT exchange, symbol, updates, coverage * 3600 AS valid_s,
            greatest(0, dateDiff('second', greatest(starts, known.since), until)) AS judged_s
        FROM built
        LEFT JOIN known ON built.exchange = known.exchange AND built.symbol = known.symbol
    ),
    expected AS
    (
        SELECT splitByChar('/', feed)[1] AS exchange, splitByChar('/', feed)[2] AS symbol
        FROM (SELECT arrayJoin({wanted:Array(String)}) AS feed)
        UNION DISTINCT
        SELECT DISTINCT toString(exchange), toString(symbol)
        FROM md_spread_hourly
        WHERE NOT {wanted_is_known:Bool} AND hour >= starts - INTERVAL 3 DAY AND hour < starts AND updates > 0
    ),
    thin AS
    (
        SELECT exchange, symbol, updates, valid_s / judged_s AS coverage, judged_s
        FROM judged
        WHERE valid_s < 0.95 * judged_s
        UNION ALL
        SELECT exchange, if(symbol = '', '(any)', symbol) AS symbol, 0 AS updates, 0 AS coverage, 3600 AS judged_s
        FROM expected
        WHERE if(symbol = '', exchange NOT IN (SELECT exchange FROM built), (exchange, symbol) NOT IN (SELECT exchange, symbol FROM built))
    )
SELECT exchange, symbol, updates, round(thin.coverage, 4) AS coverage, judged_s, count() OVER () AS bad_rows
FROM thin
ORDER BY coverage > 0, exchange, symbol
LIMIT {limit:UInt64}
