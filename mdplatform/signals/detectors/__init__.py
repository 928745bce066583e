"""What counts as extreme, one detector a file. Pure: events in, signals out; time comes with the events.

Each keeps a bounded state a market and says a thing once while it lasts. Repetitions within a while, and after a
restart, are kept back by ``cooldown``.
"""
