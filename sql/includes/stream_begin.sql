-- Kafka table -> one view -> Null table -> the views that store. Only one view hangs on the Kafka table, and it comes
-- last: a table without a view does not read, so nothing is read before every view is there.
-- The Kafka table goes first: what it read while a view is missing would be lost to that view.
DROP TABLE IF EXISTS {{{{at}}}}.{{stream}}_kafka {{cluster}};
DROP TABLE IF EXISTS {{stream}}_kafka_view {{cluster}};
DROP TABLE IF EXISTS {{stream}}_{{rows}} {{cluster}};
DROP TABLE IF EXISTS {{stream}}_refused {{cluster}};
DROP TABLE IF EXISTS {{stream}} {{cluster}};
