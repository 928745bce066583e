-- Rows of an earlier version of a file; of equal trades the first received would stay. Trades collected live stay.
DELETE FROM md_trades_store
WHERE provenance = 'archive' AND exchange = {exchange:String} AND symbol = {symbol:String}
    AND timestamp >= {first:DateTime64(3, 'UTC')} AND timestamp < {last:DateTime64(3, 'UTC')}
