-- How far each partition of each topic has come to be stored in the last day: compare with the broker's watermarks.
SELECT topic, partition, max(stored_offset) AS stored_offset, max(last_inserted) AS last_inserted_at, sum(rows) AS rows
FROM
(
    SELECT _topic AS topic, _partition AS partition, max(_offset) AS stored_offset, max(inserted_at) AS last_inserted, count() AS rows
    FROM md_orderbook_depth_store WHERE inserted_at > now() - INTERVAL 1 DAY AND NOT shadow GROUP BY topic, partition
    UNION ALL
    SELECT _topic, _partition, max(_offset), max(inserted_at), count()
    FROM md_trades_store WHERE inserted_at > now() - INTERVAL 1 DAY GROUP BY _topic, _partition
    UNION ALL
    SELECT _topic, _partition, max(_offset), max(inserted_at), count()
    FROM md_feed_status_store WHERE inserted_at > now() - INTERVAL 1 DAY GROUP BY _topic, _partition
    UNION ALL
    SELECT _topic, _partition, max(_offset), max(inserted_at), count()
    FROM md_dead_letter_store WHERE inserted_at > now() - INTERVAL 1 DAY GROUP BY _topic, _partition
)
GROUP BY topic, partition
ORDER BY topic, partition
