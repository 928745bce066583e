-- The published levels of a feed step by step for the live page's depth map: the last book of each step by receive time, best
-- first, (price, size) each. Read without FINAL, which would read whole days.
SELECT
    intDiv(toUnixTimestamp64Milli(received_at), {step_ms:Int64}) * {step_ms:Int64} AS at_ms,
    argMax((b, bv, a, av), (sequence, received_at)) AS last,
    arrayZip(last.1, last.2) AS bids, arrayZip(last.3, last.4) AS asks
FROM
(
    SELECT
        received_at, sequence, arraySlice(b, 1, {levels:UInt32}) AS b, arraySlice(bv, 1, {levels:UInt32}) AS bv,
        arraySlice(a, 1, {levels:UInt32}) AS a, arraySlice(av, 1, {levels:UInt32}) AS av
    FROM md_orderbook_depth_store
    WHERE exchange = {exchange:String} AND symbol = {symbol:String}
        AND timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND timestamp <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
)
GROUP BY at_ms
ORDER BY at_ms
LIMIT 500
SETTINGS max_execution_time = 20
