"""Readers, one per family of formats; `base.Reader` is the protocol, `textgen.corpus.formats` the table."""
