"""What a venue publishes about the past: which files there are, how they come here proven, and what their rows mean."""
