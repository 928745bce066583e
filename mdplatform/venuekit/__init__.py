"""What the sessions of all venues are made of."""
