"""Encoders that need torch: pretrained transformers from waveforms to embeddings."""
