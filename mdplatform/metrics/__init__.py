"""What Prometheus scrapes: the collectors of this host, consumer lags, the live page, Dagster. Numbers are read when
it asks; nothing is counted for it while frames are handled."""
