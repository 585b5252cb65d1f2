"""Comparison of trainings: the leaderboard, ensembles, and how much a leaky split adds."""
