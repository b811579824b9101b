"""What is on disk: windows, splits, shards and the manifest. It knows ids, not text."""
