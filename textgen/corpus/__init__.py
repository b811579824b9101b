"""What is read: the input cut into deterministic units, and one reader for each family of formats."""
