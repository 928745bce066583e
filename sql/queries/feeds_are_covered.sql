-- Symbols whose book was proven for less than 95 % of the hour, with what md_feed_status says of the rest; with them those
-- that had books in the hour before and have none in this one.
WITH
    {hour:DateTime('UTC')} AS starts,
    causes AS
    (
        SELECT exchange, symbol, arrayStringConcat(groupUniqArray(5)(concat(state, ': ', cause)), '; ') AS causes
        FROM md_feed_gaps
        WHERE channel = 'book' AND NOT prevented AND started_at < starts + INTERVAL 1 HOUR
            AND (ended_at > starts OR (ended_at IS NULL AND started_at >= starts))
        GROUP BY exchange, symbol
    ),
    thin AS
    (
        SELECT exchange, symbol, updates, coverage
        FROM md_spread_hourly
        WHERE hour = starts AND coverage < 0.95
        UNION ALL
        SELECT exchange, symbol, 0 AS updates, 0 AS coverage
        FROM md_spread_hourly AS before
        WHERE hour = starts - INTERVAL 1 HOUR AND before.updates > 0
            AND (exchange, symbol) NOT IN (SELECT exchange, symbol FROM md_spread_hourly WHERE hour = starts)
    )
SELECT
    thin.exchange AS exchange, thin.symbol AS symbol, updates, round(coverage, 4) AS coverage, causes.causes AS causes,
    count() OVER () AS bad_rows
FROM thin
LEFT JOIN causes ON thin.exchange = causes.exchange AND thin.symbol = causes.symbol
ORDER BY exchange, symbol
LIMIT {limit:UInt64}
