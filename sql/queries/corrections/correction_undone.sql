-- Note that a correction was undone.
INSERT INTO _corrections
SELECT * REPLACE (now64(3, 'UTC') AS undone_at, now64(3, 'UTC') AS inserted_at)
FROM _corrections FINAL
WHERE id = {id:String}
