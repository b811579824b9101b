"""One reader for each family of formats; `base.Reader` is their contract, `textgen.corpus.formats` their table."""
