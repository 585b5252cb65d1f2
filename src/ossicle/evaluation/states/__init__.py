"""Judging states: folds, whether the data support a claim, and recordings whose scores contradict their labels."""
