"""Files of a dataset: windows, splits, shards and the manifest. It knows ids, not text."""
