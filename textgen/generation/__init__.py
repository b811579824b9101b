"""A prompt → new text."""
