"""What was recorded in the formats that other tools read: files by symbol and day, with nothing of ours needed."""
