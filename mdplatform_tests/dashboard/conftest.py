"""A database of its own for the page too."""

from mdplatform_tests.warehouse.conftest import empty, warehouse

__all__ = ["empty", "warehouse"]
