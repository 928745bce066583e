-- What is known of a file that was loaded.
SELECT sha256, rows, days
FROM md_history_files
WHERE target = {target:String} AND path = {path:String} AND symbol = {symbol:String}
