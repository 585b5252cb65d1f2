"""From recordings to scores to events, in batches and streams, and the fitting of decisions. Needs no torch."""
