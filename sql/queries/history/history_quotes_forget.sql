-- Quotes of an earlier version of a file; those collected live stay.
DELETE FROM md_quotes_store
WHERE provenance = 'archive' AND exchange = {exchange:String} AND symbol = {symbol:String}
    AND timestamp >= {first:DateTime64(3, 'UTC')} AND timestamp < {last:DateTime64(3, 'UTC')}
