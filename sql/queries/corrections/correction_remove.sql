DELETE FROM {table:Identifier}
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND toString({key:Identifier}) = {row_id:String}
    AND timestamp >= {hour:DateTime('UTC')} AND timestamp <= toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
SETTINGS lightweight_deletes_sync = 2
