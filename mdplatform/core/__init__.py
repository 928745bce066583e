"""What every room shares: events and their codec, symbols, times, settings, errors, the protocol of a session."""
