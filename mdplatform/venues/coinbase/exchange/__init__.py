"""The Exchange feed: trades that are sent at once."""
