-- What the parts of each hour of a time cost when they were last built.
SELECT hour, part, seconds, rows, bytes, inserted_at AS built_at
FROM _costs FINAL
WHERE hour >= {start:DateTime64(3, 'UTC')} AND hour < {end:DateTime64(3, 'UTC')}
ORDER BY hour, part
