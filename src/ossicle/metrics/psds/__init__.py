"""Polyphonic sound detection score (PSDS), exact over all thresholds."""
