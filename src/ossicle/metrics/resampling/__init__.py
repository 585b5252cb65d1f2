"""Confidence intervals by resampling recordings or groups."""
