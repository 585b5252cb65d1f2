"""Scores to events: the fold, the grid of decisions, and how one is chosen."""
