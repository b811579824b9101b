"""Language models: ids in, logits out."""
