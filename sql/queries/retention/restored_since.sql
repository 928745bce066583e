-- How many hours of a dataset, from the first to the last, were loaded back from the archive since a moment.
SELECT count() AS hours
FROM _retired FINAL
WHERE dataset = {dataset:String} AND hour >= {first:DateTime('UTC')} AND hour <= {last:DateTime('UTC')}
    AND restored_at >= {since:DateTime('UTC')}
