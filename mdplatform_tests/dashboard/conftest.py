"""A database of its own for the page too, or none: never one that happens to run on this machine."""

import dataclasses

import pytest

from mdplatform.core.settings import Settings
from mdplatform_tests.warehouse.conftest import empty, warehouse

__all__ = ["empty", "kafka_settings", "warehouse"]

NO_WAREHOUSE = "http://127.0.0.1:1"


@pytest.fixture
def kafka_settings(kafka_settings: Settings) -> Settings:
    return dataclasses.replace(kafka_settings, clickhouse_url=NO_WAREHOUSE)
