-- Note what a part of each of some hours cost.
INSERT INTO _costs (hour, part, seconds, rows, bytes)
SELECT cost.1, {part:String}, cost.2, cost.3, cost.4
FROM
(
    SELECT arrayJoin(arrayZip(
        {hours:Array(DateTime('UTC'))}, {seconds:Array(Float64)}, {rows:Array(UInt64)}, {bytes:Array(UInt64)})) AS cost
)
