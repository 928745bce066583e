"""Spot, by WebSocket v2."""
