"""Live tables for a terminal: the top of each book, and the lag of consumer groups."""
