-- Note of an hour that its rows were loaded back, where they had left.
INSERT INTO _retired (dataset, hour, retired_at, restored_at)
SELECT dataset, hour, retired_at, now64(3, 'UTC')
FROM _retired FINAL
WHERE dataset = {dataset:String} AND hour = {hour:DateTime('UTC')} AND restored_at IS NULL
