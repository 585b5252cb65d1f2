"""Heads: from the embeddings of an encoder to one score for each label."""
