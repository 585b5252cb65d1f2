"""Rounds that add training material: hard negatives, pseudo-labels, reviews."""
