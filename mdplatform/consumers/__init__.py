"""Programs that read topics: a live table, the lag of groups, signals."""
