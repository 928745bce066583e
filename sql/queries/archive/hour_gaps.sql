-- When each venue's feeds were not valid within the hour, cut at its end, unless another collector proved them meanwhile.
-- An end that is not known is NULL.
SELECT
    toString(status.exchange) AS exchange, toString(symbol) AS symbol, toString(channel) AS channel, toString(state) AS state, cause,
    toInt64(started_ns) AS started_ns,
    if(isNull(ended_ns), NULL, least(
        toInt64(assumeNotNull(ended_ns)),
        toUnixTimestamp64Nano(toDateTime64({hour:DateTime('UTC')} + INTERVAL 1 HOUR, 9, 'UTC')))) AS ended_ns
FROM ({{include hour_feed_gaps}}) AS status
WHERE NOT status.prevented
ORDER BY exchange, started_ns, symbol, channel, state, cause, ended_ns
