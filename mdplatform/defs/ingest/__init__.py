"""Collectors as runs: one run a shard, kept alive by a sensor."""
