"""Benchmark: models on a corpus of its own, scored once for each model, window and step, then decided many times."""
