-- By venue and reason, what could not be understood in a time, with the last example.
SELECT
    toString(exchange) AS exchange, toString(reason) AS reason, count() AS letters,
    argMax(error, received_at) AS error, max(timestamp) AS last_at
FROM md_dead_letter
WHERE timestamp >= {start:DateTime64(3, 'UTC')} AND timestamp < {end:DateTime64(3, 'UTC')}
GROUP BY exchange, reason
ORDER BY letters DESC, exchange, reason
