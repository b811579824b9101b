"""What is understood: raw text to token ids and back, as graph operations on batches.

The Beam job, the generator and an exported model run these same operations, so what a model is trained on and
what it is asked about can't differ.
"""
