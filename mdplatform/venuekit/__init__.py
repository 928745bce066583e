"""What the venues' sessions are built from."""
