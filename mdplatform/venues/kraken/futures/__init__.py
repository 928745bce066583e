"""Futures and perpetuals, by their own feed."""
