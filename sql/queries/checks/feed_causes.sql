-- What md_feed_status says of the time in an hour for which a symbol's book was not proven.
WITH toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') AS starts
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol,
    arrayStringConcat(groupUniqArray(5)(concat(state, ': ', cause)), '; ') AS causes
FROM md_feed_gaps
WHERE channel = 'book' AND NOT prevented AND started_at < starts + INTERVAL 1 HOUR
    AND (ended_at > starts OR (ended_at IS NULL AND started_at >= starts))
GROUP BY exchange, symbol
