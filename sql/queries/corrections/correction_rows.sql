-- The stored rows of a book (its sequence) or trade (its id) of an hour, duplicates and the next day's shadow too.
SELECT *
FROM {table:Identifier}
WHERE exchange = {exchange:String} AND symbol = {symbol:String} AND toString({key:Identifier}) = {row_id:String}
    AND timestamp >= {hour:DateTime('UTC')} AND timestamp <= toDateTime64({hour:DateTime('UTC')}, 3, 'UTC') + INTERVAL 1 HOUR
