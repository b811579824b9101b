"""What learns: ids in, logits out."""
