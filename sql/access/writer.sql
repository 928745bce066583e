-- What the platform itself logs in with where an administrator has created both databases and these roles: it fills,
-- builds and migrates its own databases, reads what the server says of itself, and manages no users.
--   CREATE USER mdplatform IDENTIFIED BY '...' DEFAULT ROLE marketdata_writer
CREATE ROLE IF NOT EXISTS marketdata_writer {{cluster}};
GRANT {{cluster}} SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, TRUNCATE ON {{readers}}.* TO marketdata_writer;
GRANT {{cluster}} SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, TRUNCATE ON {{internal}}.* TO marketdata_writer;
GRANT {{cluster}} SELECT ON system.* TO marketdata_writer;
GRANT {{cluster}} KAFKA, CLUSTER ON *.* TO marketdata_writer;
GRANT {{cluster}} TABLE ENGINE ON * TO marketdata_writer;
