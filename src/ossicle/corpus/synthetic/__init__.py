"""Synthetic tapes with known calls, and noise probes."""
