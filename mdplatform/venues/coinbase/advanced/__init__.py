"""The Advanced Trade feed: books that are proven by the number of each message."""
