-- What a venue last called each of its instruments.
SELECT symbol, argMax(venue_symbol, last_seen_at) AS venue_symbol
FROM md_instruments_store
WHERE exchange = {exchange:String}
GROUP BY symbol
