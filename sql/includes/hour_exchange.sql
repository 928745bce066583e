UNION ALL
    SELECT '{{dataset}}', toString(exchange) {{include archived_rows table={{table}}}}
