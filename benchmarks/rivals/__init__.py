"""What our code is measured against: the way most projects do it, and a library that does it."""
