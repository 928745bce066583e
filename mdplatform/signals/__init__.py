"""Signals: detectors over the normalized topics, and the process that runs them."""
