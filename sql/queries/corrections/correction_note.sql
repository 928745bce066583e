-- Keep what is about to be removed.
INSERT INTO _corrections (id, dataset, exchange, symbol, row_id, hour, reason, operator, row_tables, row_contents, corrected_at)
SELECT
    {id:String}, {dataset:String}, {exchange:String}, {symbol:String}, {row_id:String}, {hour:DateTime('UTC')},
    {reason:String}, {operator:String}, {row_tables:Array(String)}, {row_contents:Array(String)}, now64(3, 'UTC')
