-- At-the-money volatility by expiry, as of a time.
-- At each strike the mean of the call's and the put's implied volatility of the mark; between the two strikes around the
-- forward s(F) = s1 + (s2 - s1) ln(F / K1) / ln(K2 / K1). NULL where no strike lies on a side. Volatilities are fractions a year.
-- {exchange} = deribit: venue id
-- {pair} = BTC-USD: base and quote
-- {start} = an hour before the end: summaries from this time on, UTC
-- {end} = now: as of this time, UTC
WITH
    {{include option_chain}},
    strikes AS
    (
        SELECT expiry, strike, avg(mark_iv) AS iv, count() AS kinds, argMax(underlying_price, venue_time) AS price, max(venue_time) AS at
        FROM chain
        WHERE mark_iv IS NOT NULL AND underlying_price IS NOT NULL
        GROUP BY expiry, strike
    ),
    around AS
    (
        SELECT
            strikes.expiry AS expiry, forwards.forward AS forward, sum(kinds) AS options,
            maxIf(strike, strike <= forward) AS below, minIf(strike, strike >= forward) AS above,
            argMaxIf(iv, strike, strike <= forward) AS iv_below, argMinIf(iv, strike, strike >= forward) AS iv_above
        FROM strikes
        INNER JOIN (SELECT expiry, assumeNotNull(argMax(price, at)) AS forward FROM strikes GROUP BY expiry) AS forwards
            ON strikes.expiry = forwards.expiry
        GROUP BY strikes.expiry, forwards.forward
    )
SELECT
    toDate(parseDateTimeBestEffort(expiry, 'UTC')) AS expires_on,
    multiIf(
        below = 0 OR above = 0, NULL,
        below = above, iv_below,
        iv_below + (iv_above - iv_below) * log(forward / below) / log(above / below)
    ) AS atm_iv,
    forward, options
FROM around
ORDER BY expires_on
