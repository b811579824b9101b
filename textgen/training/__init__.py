"""Shards → a trained model. Writing samples is handed in, so that training knows nothing of generation."""
