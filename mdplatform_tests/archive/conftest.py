"""A migrated database of the real engine, for what goes from it to files and back."""

from mdplatform_tests.warehouse.conftest import empty, warehouse

__all__ = ["empty", "warehouse"]
