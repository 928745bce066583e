"""Coinbase: Exchange and Advanced Trade, which share their markets."""
