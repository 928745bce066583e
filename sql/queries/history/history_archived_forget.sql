-- What an earlier version of a file said of trades, beside those collected.
DELETE FROM md_trades_archived_store
WHERE exchange = {exchange:String} AND symbol = {symbol:String}
    AND timestamp >= {first:DateTime64(3, 'UTC')} AND timestamp < {last:DateTime64(3, 'UTC')}
