-- What analysts and dashboards log in with: they read everything and change nothing. An administrator gives it to users:
--   CREATE USER ann IDENTIFIED BY '...' DEFAULT ROLE marketdata_reader
CREATE ROLE IF NOT EXISTS marketdata_reader {{cluster}} SETTINGS readonly = 2;
GRANT {{cluster}} SELECT ON * TO marketdata_reader;
