"""Clips and recordings to batches of crops."""
