-- What md_feed_status says of the time in an hour for which a symbol's book was not proven.
SELECT
    toString(exchange) AS exchange, toString(symbol) AS symbol,
    arrayStringConcat(groupUniqArray(5)(concat(state, ': ', cause)), '; ') AS causes
FROM ({{include hour_feed_gaps}})
WHERE channel = 'book' AND NOT prevented
GROUP BY exchange, symbol
