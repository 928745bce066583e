UNION ALL
    SELECT exchange, timestamp, inserted_at FROM {{table}}_store WHERE inserted_at > {since:DateTime64(3, 'UTC')} AND {{shown}}
