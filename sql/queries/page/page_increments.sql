-- What a feed's prices and sizes are multiples of, as its venue last listed it: tick, and step in base units; NULL where the
-- venue states none, and for the size of an inverse contract, which is no multiple of anything in base units.
SELECT
    tick,
    if(inverse, NULL, step * if(isNull(contract_size), 1, contract_size * ifNull(multiplier, 1))) AS step
FROM md_instruments_store
WHERE exchange = {exchange:String} AND symbol = {symbol:String}
ORDER BY last_seen_at DESC
LIMIT 1
SETTINGS max_execution_time = 20
