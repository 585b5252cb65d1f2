"""Comparing trainings: leaderboard, ensembles, what a leaky split adds."""
