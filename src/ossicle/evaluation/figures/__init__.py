"""Figures of a detector on its recordings: what `metrics.json` holds."""
