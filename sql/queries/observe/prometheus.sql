-- What ClickHouse counts and measures of itself, under the names of its own endpoint for Prometheus. As FORMAT Prometheus
-- takes it, which writes the rows of a name one after the other.
SELECT concat('ClickHouseMetrics_', metric) AS name, toFloat64(value) AS value, description AS help, 'gauge' AS type
FROM system.metrics
UNION ALL
SELECT concat('ClickHouseProfileEvents_', event), toFloat64(value), description, 'counter'
FROM system.events
ORDER BY name
