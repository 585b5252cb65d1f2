"""Held-out clips of annotations: which there are, a fraction of them, their scores, and their figures."""
