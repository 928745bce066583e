-- A feed step by step for the live page: last best prices and imbalance of each step, order flow summed over it
-- (Cont, Kukanov, Stoikov 2014). Time is the receive time, as on the page. Read without FINAL, which would read whole
-- days: a book stored twice follows itself and has no flow. Of a step whose last book lacks a side, that side is NULL.
SELECT
    intDiv(received_ms, {step_ms:Int64}) * {step_ms:Int64} AS at_ms,
    argMax((pb, qb, pa, qa), sequence) AS last,
    nullIf(last.1, 0) AS bid,
    if(isFinite(last.3), last.3, NULL) AS ask,
    if(isNull(bid) OR isNull(ask), NULL, (last.2 - last.4) / (last.2 + last.4)) AS imbalance,
    sum(if(follows,
        if(pb >= last_pb, qb, 0) - if(pb <= last_pb, last_qb, 0)
        - if(pa <= last_pa, qa, 0) + if(pa >= last_pa, last_qa, 0), 0)) AS flow
FROM
(
    SELECT
        sequence, toUnixTimestamp64Milli(received_at) AS received_ms,
        b[1] AS pb, bv[1] AS qb, if(empty(a), inf, a[1]) AS pa, av[1] AS qa,
        previous_sequence = lagInFrame(sequence) OVER following AS follows,
        lagInFrame(b[1]) OVER following AS last_pb, lagInFrame(bv[1]) OVER following AS last_qb,
        lagInFrame(if(empty(a), inf, a[1])) OVER following AS last_pa, lagInFrame(av[1]) OVER following AS last_qa
    FROM md_orderbook_depth_store
    WHERE exchange = {exchange:String} AND symbol = {symbol:String}
        AND timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND timestamp <= fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC') + INTERVAL 1 MINUTE
    WINDOW following AS (ORDER BY sequence, received_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
WHERE received_ms <= {until_ms:Int64}
GROUP BY at_ms
ORDER BY at_ms
SETTINGS max_execution_time = 20
