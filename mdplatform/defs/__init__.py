"""Orchestration: what runs when, what depends on what, and what must be true. Only this room knows Dagster."""
