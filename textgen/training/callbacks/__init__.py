"""What is seen of a run, a file a way to see it."""
