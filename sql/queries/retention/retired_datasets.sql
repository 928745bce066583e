-- The datasets whose rows of an hour have left the warehouse: fewer than the limit, by which the embedded node knows a short answer.
SELECT dataset FROM _retired FINAL WHERE hour = {hour:DateTime('UTC')} AND restored_at IS NULL ORDER BY dataset
LIMIT 100
