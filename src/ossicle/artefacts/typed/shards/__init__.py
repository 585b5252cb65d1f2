"""Artefacts whose recordings lie in shards: of samples, embeddings and spectrograms."""
