"""Recordings: tapes of raw frames, written, normalized, and replayed through the code that collects."""
