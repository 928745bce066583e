"""A broker and a ClickHouse node from pip packages, for a machine without Docker."""
