"""Bitget, by API v3."""
