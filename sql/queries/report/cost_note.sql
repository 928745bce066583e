-- Note what a part of an hour cost.
INSERT INTO _costs (hour, part, seconds, rows, bytes)
SELECT {hour:DateTime('UTC')}, {part:String}, {seconds:Float64}, {rows:UInt64}, {bytes:UInt64}
