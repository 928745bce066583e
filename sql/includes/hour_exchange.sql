UNION ALL
    SELECT '{{dataset}}', toString(exchange), count() {{include archived_rows table={{table}}}} GROUP BY exchange
