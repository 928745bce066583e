"""What counts as extreme, one detector a file. Pure: events in, signals out; time comes with the events.

Each keeps a bounded state per market and reports a finding once while it lasts. Repetitions within the cooldown, and
after a restart, are suppressed by ``deduplicator``.
"""
