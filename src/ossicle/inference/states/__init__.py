"""Scores to states: the causal fold, its live stream, and the fitting of its rules."""
