-- Options as of a time: the last summary of each option that has not expired, by expiry and strike.
-- Volatilities are fractions a year, prices in the units in which the option is quoted, greeks as the venue defines them. The
-- strike, the expiry (08:00 UTC) and the kind are those of the canonical symbol. What stated nothing since {start} is left out.
-- {exchange} = deribit: venue id
-- {pair} = BTC-USD: base and quote
-- {start} = an hour before the end: summaries from this time on, UTC
-- {end} = now: as of this time, UTC
WITH
    {{include option_chain}}
SELECT
    strike, toString(expiry) AS expiry, option_kind, bid_price, mark_price, ask_price, bid_iv, mark_iv, ask_iv,
    delta, gamma, vega, theta, open_interest, underlying_price, timestamp AS stated_at
FROM chain
ORDER BY chain.expiry, strike, option_kind
