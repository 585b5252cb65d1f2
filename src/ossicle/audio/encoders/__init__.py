"""Encoders: waveforms to sequences of vectors (embeddings). Those that need no library of their own are here."""
