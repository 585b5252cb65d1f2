"""Distances between a recording and its resynthesis, on arrays."""
