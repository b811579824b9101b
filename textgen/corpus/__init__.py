"""Input of a preparation: deterministic units of work, and one reader per family of formats."""
