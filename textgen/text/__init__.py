"""Converts raw text to token ids and back, in graph operations on batches of texts.

The Beam job, the generator and an exported model run the same operations, so a prompt is processed exactly as the
training text was.
"""
