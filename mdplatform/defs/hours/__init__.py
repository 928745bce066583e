"""An hour of the warehouse: aggregates, checks, and when it is built."""
