"""What goes wrong: the fault script, its scheduler, and what the faults do to frames and lists."""
