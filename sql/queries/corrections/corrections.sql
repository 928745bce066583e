-- What operators removed, the latest first; one of them where its id is given.
SELECT id, dataset, exchange, symbol, row_id, hour, reason, operator, row_tables, row_contents, corrected_at, undone_at
FROM _corrections FINAL
WHERE {id:String} IN ('', id)
ORDER BY corrected_at DESC, id
