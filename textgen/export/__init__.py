"""A run → files that other programs load: a SavedModel from text to text, or one step for small runtimes."""
