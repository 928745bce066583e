"""What is wrong, posted once."""
