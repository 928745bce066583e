-- Whether a build left anything in the staging table.
SELECT count() AS parts
FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND partition = toString({partition:UInt32}) AND active
