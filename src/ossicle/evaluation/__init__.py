"""Evaluation on top of metrics: ground truth, criteria, examples, leaderboard rows. Needs no torch."""
