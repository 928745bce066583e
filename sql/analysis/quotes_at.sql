-- Quotes as of a time: best bid and ask of each venue as they were known then, and whether they are proven.
-- mid = (bid + ask) / 2, spread_bps = 10000 (ask - bid) / mid. The newest by receipt of what books and, where they are
-- collected, best prices said in the day before. Of md_quotes_at.
-- {symbol} = BTC-USD%: canonical symbols, a pattern as for LIKE
-- {end} = now: as of this time, UTC
SELECT * FROM md_quotes_at(symbol = {symbol:String}, at = toString({end:DateTime64(9, 'UTC')}))
