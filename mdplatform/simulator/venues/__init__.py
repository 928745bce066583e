"""A room a venue: instruments (what it lists), feed (what it publishes), exchange (its sockets), rest (its calls)."""
