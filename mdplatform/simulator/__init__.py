"""Exchanges that speak the venues' real protocols on loopback, with ground truth and scripted faults."""
