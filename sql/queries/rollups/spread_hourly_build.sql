-- One hour of md_spread_hourly into the staging table.
-- A book is in force from its venue time until the next update's. That counts as far as the feed was valid: status
-- intervals are on the collector's clock, so each end is moved to venue time by the lag of the book itself. The last
-- book before the hour (at most an hour older) carries in. A book that lacks a side ends the spread of the one before: its
-- time is covered, and has no mid, spread, imbalance or volatility. Depth is what the collector measured on the whole known
-- book; the published levels are too few. One thread: sums of floats depend on their order.
INSERT INTO md_spread_hourly_staging
(
    hour, exchange, symbol, updates, coverage,
    spread, spread_median, spread_p95, spread_p99, spread_bps, spread_bps_median, spread_bps_p95, spread_bps_p99,
    mid_open, mid_high, mid_low, mid_close, imbalance,
    bid_depth_10bps_base, bid_depth_10bps_quote, ask_depth_10bps_base, ask_depth_10bps_quote,
    realized_volatility, order_flow_imbalance
)
WITH
    toUnixTimestamp64Nano(toDateTime64({hour:DateTime('UTC')}, 9, 'UTC')) AS hour_starts,
    hour_starts + 3600000000000 AS hour_ends,
    books AS
    (
        SELECT
            exchange, symbol, sequence, b, bv, a, av, bid_depth_10bps, ask_depth_10bps,
            toUnixTimestamp64Nano(venue_time) AS at,
            toUnixTimestamp64Nano(received_at) AS received
        FROM md_orderbook_depth
        WHERE timestamp >= {hour:DateTime('UTC')} - INTERVAL 1 HOUR
            AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
    ),
    (
        SELECT minOrNull(toUnixTimestamp64Nano(received_at)) FROM md_orderbook_depth_store
        WHERE timestamp >= {hour:DateTime('UTC')} - INTERVAL 1 HOUR
            AND timestamp < toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
    ) AS first_received,
    valid AS
    (
        SELECT exchange, symbol, valid_from_ns AS valid_from, valid_to_ns AS valid_to
        FROM ({{include proven_since since=first_received}})
        WHERE channel = 'book'
    ),
    judged AS
    (
        SELECT
            books.exchange AS exchange, books.symbol AS symbol, sequence, b, bv, a, av, at, received, valid_from,
            bid_depth_10bps, ask_depth_10bps,
            -- An unproven book matches no interval, or one that had ended: then it holds for no time.
            if(valid_from > 0 AND received <= valid_to, at + (valid_to - received), 0) AS valid_to_at
        FROM books
        ASOF LEFT JOIN valid
            ON books.exchange = valid.exchange AND books.symbol = valid.symbol AND books.received >= valid.valid_from
    ),
    sequenced AS
    (
        SELECT
            exchange, symbol, sequence, at, valid_to_at, bid_depth_10bps, ask_depth_10bps,
            -- Nobody who bids is as one who bids nothing; nobody who offers, as one who offers at any price.
            b[1] AS pb, bv[1] AS qb, if(empty(a), inf, a[1]) AS pa, av[1] AS qa,
            if(empty(b) OR empty(a), NULL, {{include mid bid=pb ask=pa}}) AS mid,
            leadInFrame(at, 1, hour_ends) OVER following AS next_at,
            lagInFrame(b[1]) OVER following AS last_pb, lagInFrame(bv[1]) OVER following AS last_qb,
            lagInFrame(if(empty(a), inf, a[1])) OVER following AS last_pa, lagInFrame(av[1]) OVER following AS last_qa,
            valid_to_at > 0 AND lagInFrame(valid_to_at) OVER following > 0
                AND lagInFrame(valid_from) OVER following = valid_from AS follows
        FROM judged
        WINDOW following AS (
            PARTITION BY exchange, symbol ORDER BY at, sequence
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    ),
    weighed AS
    (
        SELECT
            *,
            at >= hour_starts AS in_hour,
            greatest(at, hour_starts) AS starts,
            greatest(least(next_at, hour_ends, valid_to_at), starts) AS ends,
            toUInt64(ends - starts) AS held,
            if(isNull(mid), 0, held) AS quoted,
            if(isNull(mid), NULL, {{include spread bid=pb ask=pa}}) AS gap,
            10000 * gap / mid AS gap_bps,
            if(isNull(bid_depth_10bps), 0, quoted) AS bids_known, if(isNull(ask_depth_10bps), 0, quoted) AS asks_known,
            if(follows,
                if(pb >= last_pb, qb, 0) - if(pb <= last_pb, last_qb, 0)
                - if(pa <= last_pa, qa, 0) + if(pa >= last_pa, last_qa, 0), 0) AS flow,
            arrayMap(
                tick -> (tick, assumeNotNull(mid)),
                if(isNull(mid), [], range(
                    toUInt64(intDiv(starts + 9999999999, 10000000000)), toUInt64(intDiv(ends + 9999999999, 10000000000))
                ))
            ) AS ticks
        FROM sequenced
        ORDER BY exchange, symbol, at, sequence
    )
-- Once more by name: each use of an alias is planned as the whole expression behind it.
SELECT
    * EXCEPT (order_flow_imbalance, path, earlier, later, squares),
    if(notEmpty(squares), sqrt(arraySum(squares) / (length(squares) * 10) * 31536000), NULL) AS realized_volatility,
    order_flow_imbalance
FROM
(
    SELECT
        {hour:DateTime('UTC')} AS hour, exchange, symbol,
        countIf(in_hour) AS updates,
        sum(held) / 3600e9 AS coverage,
        sum(gap * quoted) / nullIf(sum(quoted), 0) AS spread,
        if(sum(quoted) > 0, quantileExactWeighted(0.5)(gap, quoted), NULL) AS spread_median,
        if(sum(quoted) > 0, quantileExactWeighted(0.95)(gap, quoted), NULL) AS spread_p95,
        if(sum(quoted) > 0, quantileExactWeighted(0.99)(gap, quoted), NULL) AS spread_p99,
        sum(gap_bps * quoted) / nullIf(sum(quoted), 0) AS spread_bps,
        if(sum(quoted) > 0, quantileExactWeighted(0.5)(gap_bps, quoted), NULL) AS spread_bps_median,
        if(sum(quoted) > 0, quantileExactWeighted(0.95)(gap_bps, quoted), NULL) AS spread_bps_p95,
        if(sum(quoted) > 0, quantileExactWeighted(0.99)(gap_bps, quoted), NULL) AS spread_bps_p99,
        argMinOrNullIf(mid, starts, quoted > 0) AS mid_open,
        maxOrNullIf(mid, quoted > 0) AS mid_high,
        minOrNullIf(mid, quoted > 0) AS mid_low,
        argMaxOrNullIf(mid, starts, quoted > 0) AS mid_close,
        sumIf((qb - qa) / (qb + qa) * quoted, quoted > 0) / nullIf(sum(quoted), 0) AS imbalance,
        sum(bid_depth_10bps * bids_known) / nullIf(sum(bids_known), 0) AS bid_depth_10bps_base,
        sum(bid_depth_10bps * mid * bids_known) / nullIf(sum(bids_known), 0) AS bid_depth_10bps_quote,
        sum(ask_depth_10bps * asks_known) / nullIf(sum(asks_known), 0) AS ask_depth_10bps_base,
        sum(ask_depth_10bps * mid * asks_known) / nullIf(sum(asks_known), 0) AS ask_depth_10bps_quote,
        sumIf(flow, in_hour) AS order_flow_imbalance,
        -- A return counts between two valid mids exactly 10 s apart.
        arraySort(groupArrayArray(ticks)) AS path,
        arrayPopBack(path) AS earlier, arrayPopFront(path) AS later,
        arrayFilter(
            (square, p, n) -> n.1 = p.1 + 1,
            arrayMap((p, n) -> pow(log(n.2 / p.2), 2), earlier, later), earlier, later
        ) AS squares
    FROM weighed
    GROUP BY exchange, symbol
    HAVING updates > 0 OR sum(held) > 0
)
SETTINGS max_threads = 1, max_insert_threads = 1
