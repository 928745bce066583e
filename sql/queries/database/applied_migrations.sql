-- What the ledger says of each file: its hash when it was last applied.
SELECT name, argMax(sha256, applied_at) AS sha256
FROM _migrations
GROUP BY name
ORDER BY name
