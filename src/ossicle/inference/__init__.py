"""Recordings to scores to events, batch and stream, and the fitting of decisions. No torch."""
