-- The smile of an expiry: implied volatility over the strikes, as of a time.
-- Of each strike the option that is out of the money: the put below the forward, the call from it on. Volatilities are
-- fractions a year; NULL where a side of its book is empty. {expiry} is YYYYMMDD, or first for the nearest that is listed.
-- {exchange} = deribit: venue id
-- {pair} = BTC-USD: base and quote
-- {expiry} = first: YYYYMMDD or first
-- {start} = an hour before the end: summaries from this time on, UTC
-- {end} = now: as of this time, UTC
WITH
    {{include option_chain}}
SELECT strike, bid_iv, mark_iv, ask_iv
FROM chain
WHERE expiry = if({expiry:String} = 'first', (SELECT min(expiry) FROM chain), {expiry:String})
    AND option_kind = if(strike < underlying_price, 'put', 'call')
ORDER BY strike
