-- Open interest (base units) and funding rate of a feed step by step for the live page: the last one of each step.
SELECT *
FROM
(
    SELECT
        'open_interest' AS kind, intDiv(toUnixTimestamp(timestamp), {bar_s:Int64}) * {bar_s:Int64} AS at_s,
        argMax(open_interest, venue_time) AS value
    FROM md_open_interest_store
    WHERE exchange = {exchange:String} AND symbol = {symbol:String}
        AND timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND timestamp <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    GROUP BY at_s
    UNION ALL
    SELECT
        'funding' AS kind, intDiv(toUnixTimestamp(timestamp), {bar_s:Int64}) * {bar_s:Int64} AS at_s,
        argMax(assumeNotNull(rate), venue_time) AS value
    FROM md_funding_store
    WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND rate IS NOT NULL
        AND timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND timestamp <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    GROUP BY at_s
)
ORDER BY kind, at_s
LIMIT 4000
SETTINGS max_execution_time = 20