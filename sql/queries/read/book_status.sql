-- What each collector states of a book at a time: its last interval that began before.
SELECT
    collector, argMax(state, started_at) AS state, argMax(cause, started_at) AS cause,
    max(started_at) AS since, argMax(ended_at, started_at) AS until
FROM md_feed_status
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND channel = 'book'
    AND started_at <= toDateTime64({at:String}, 9, 'UTC')
GROUP BY collector
ORDER BY state = 'valid' DESC, until DESC
