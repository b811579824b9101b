"""A compiled pass that cuts text as the graph does, several times as fast.

`textgen.text.cleaning` and the tokenizers define, as graph operations, how text is cleaned and cut. Where the
settings are rules for single bytes, chunks of ASCII between white space are cut here by compiled loops, and any other
chunk is cut by the graph, once. The results are equal; tests compare them.
"""
