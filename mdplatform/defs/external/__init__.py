"""Feeds, topics and stream tables, which fill without Dagster."""
