-- Order flow against returns: how the imbalance of the flow goes with the mid's move in the same interval and in the next.
-- e_n = 1[b_n >= b_(n-1)] qb_n - 1[b_n <= b_(n-1)] qb_(n-1) - 1[a_n <= a_(n-1)] qa_n + 1[a_n >= a_(n-1)] qa_(n-1) of best bids
-- and asks b, a and their sizes qb, qa; OFI = sum(e_n) over the interval (Cont, Kukanov and Stoikov, Journal of Financial
-- Econometrics 12, 2014, arXiv 1011.6402). r = 10000 ln(M / M') of the mids at the ends of this interval and the one before.
-- correlation: of OFI and r of the same interval; next_correlation: of OFI and r of the interval after. bps_per_unit: the slope
-- of r on OFI in bps per base unit (least squares). Of intervals with updates whose neighbours have some; venue time; books as
-- received, proven or not.
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {seconds} = 10: length of an interval
-- {start} = an hour before the end: from this time on, UTC
-- {end} = now: before this time, UTC
WITH
    tops AS
    (
        SELECT
            exchange, symbol, venue_time, sequence, intDiv(toUnixTimestamp64Nano(venue_time), toInt64({seconds:UInt32}) * 1000000000) AS bar,
            assumeNotNull(bid_price) AS b, assumeNotNull(bid_size) AS qb, assumeNotNull(ask_price) AS a, assumeNotNull(ask_size) AS qa,
            {{include mid bid=b ask=a}} AS mid,
            row_number() OVER following = 1 AS is_first,
            lagInFrame(b) OVER following AS b0, lagInFrame(qb) OVER following AS qb0,
            lagInFrame(a) OVER following AS a0, lagInFrame(qa) OVER following AS qa0
        FROM md_top_of_book
        WHERE symbol LIKE {symbol:String} AND isNotNull(bid_price) AND isNotNull(ask_price)
            AND timestamp >= {start:DateTime64(9, 'UTC')} AND timestamp < {end:DateTime64(9, 'UTC')}
        WINDOW following AS (PARTITION BY exchange, symbol ORDER BY venue_time, sequence ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    bars AS
    (
        SELECT
            exchange, symbol, bar, argMax(mid, (venue_time, sequence)) AS closing,
            sum(if(is_first, 0, (b >= b0) * qb - (b <= b0) * qb0 - (a <= a0) * qa + (a >= a0) * qa0)) AS flow
        FROM tops
        GROUP BY exchange, symbol, bar
    ),
    moves AS
    (
        SELECT
            exchange, symbol, bar, flow, bar - lagInFrame(bar, 1, 0) OVER neighbours = 1 AS has_before,
            leadInFrame(bar, 1, 0) OVER neighbours - bar = 1 AS has_after,
            10000 * log(closing / lagInFrame(closing, 1, closing) OVER neighbours) AS r,
            10000 * log(leadInFrame(closing, 1, closing) OVER neighbours / closing) AS next_r
        FROM bars
        WINDOW neighbours AS (PARTITION BY exchange, symbol ORDER BY bar ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
    )
SELECT
    exchange, symbol, count() AS intervals, corrStable(flow, r) AS correlation, corrStable(flow, next_r) AS next_correlation,
    covarPopStable(flow, r) / varPopStable(flow) AS bps_per_unit
FROM moves
WHERE has_before AND has_after
GROUP BY exchange, symbol
ORDER BY exchange, symbol
