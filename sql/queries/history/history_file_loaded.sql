-- All rows of a file are stored; those of each day in the order of the days.
INSERT INTO md_history_files_store (exchange, symbol, target, path, sha256, rows, days)
SELECT
    {exchange:String}, {symbol:String}, {target:String}, {path:String}, {sha256:String},
    arraySum({counts:Array(UInt64)}), mapFromArrays({days:Array(String)}, {counts:Array(UInt64)})
