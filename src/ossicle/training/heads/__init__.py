"""Training of heads on cached embeddings."""
