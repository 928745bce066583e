-- Note of each hour from the first to the last, both included, that its rows left the warehouse.
INSERT INTO _retired (dataset, hour, retired_at)
SELECT {dataset:String}, {first:DateTime('UTC')} + toIntervalHour(number), now64(3, 'UTC')
FROM numbers(dateDiff('hour', {first:DateTime('UTC')}, {last:DateTime('UTC')}) + 1)
