-- How many changes of a book were collected live in a span of days.
SELECT count() AS rows
FROM md_book_increments_store
WHERE provenance != 'archive' AND exchange = {exchange:String} AND symbol = {symbol:String}
    AND timestamp >= {first:DateTime64(3, 'UTC')} AND timestamp < {last:DateTime64(3, 'UTC')}
