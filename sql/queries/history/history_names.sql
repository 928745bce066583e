-- What the venue itself calls an instrument and what its sizes count, by its latest list; several rows where it is listed in
-- several categories.
SELECT DISTINCT
    venue_symbol, base, quote, kind, inverse, expiry,
    toString(contract_size) AS contract_size, toString(multiplier) AS multiplier
FROM md_instruments
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND valid_to IS NULL
