"""What is wrong, to the people who should know it: which alerts, in which messages, by which routes."""
