"""A database of its own, for commands that need its tables."""

from mdplatform_tests.warehouse.conftest import empty

__all__ = ["empty"]
