-- The datasets whose rows of an hour have left the warehouse.
SELECT dataset FROM _retired FINAL WHERE hour = {hour:DateTime('UTC')} AND restored_at IS NULL ORDER BY dataset
