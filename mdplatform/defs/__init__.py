"""Orchestration: what runs when, what depends on what, and what must be true. Only this room knows Dagster."""

import warnings

# Constraints pin the exact version, so what is called preview or beta cannot change under us.
warnings.filterwarnings("ignore", message="Specifying a partitions_def on an AssetCheckSpec")
warnings.filterwarnings("ignore", message="Parameter `backfill_policy` of function `asset`")
warnings.filterwarnings("ignore", message="Parameter `owners` of initializer `SensorDefinition")
