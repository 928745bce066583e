"""The live page: reads the topics, keeps the last state of every feed, and streams it to browsers."""
