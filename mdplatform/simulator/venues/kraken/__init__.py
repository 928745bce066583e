"""Kraken spot and futures."""
