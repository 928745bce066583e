-- What analysts and dashboards log in with: they read everything, change nothing, and no query of theirs takes the
-- server away from the others. An administrator gives it to users:
--   CREATE USER ann IDENTIFIED BY '...' DEFAULT ROLE marketdata_reader
-- The limits are said again by ALTER, because a role that exists is left as it is.
CREATE ROLE IF NOT EXISTS marketdata_reader {{cluster}} SETTINGS readonly = 2;
ALTER ROLE marketdata_reader {{cluster}} SETTINGS
    readonly = 2,
    max_execution_time = 60 MIN 1 MAX 60,
    max_result_rows = 10000000 MIN 1 MAX 10000000,
    max_memory_usage = 4000000000 MIN 1 MAX 4000000000;
-- Views read as whoever asks, so he may read what is behind them too. The Kafka table lies with them because it is asked
-- for by its name; to read from it would take messages away.
GRANT {{cluster}} SELECT ON {{readers}}.* TO marketdata_reader;
GRANT {{cluster}} SELECT ON {{internal}}.* TO marketdata_reader;
REVOKE {{cluster}} SELECT ON {{readers}}.md_orderbook_stream_kafka FROM marketdata_reader;
