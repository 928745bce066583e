-- What the venue itself calls an instrument, by its latest list; several names where it is listed in several categories.
SELECT DISTINCT venue_symbol
FROM md_instruments
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND valid_to IS NULL
