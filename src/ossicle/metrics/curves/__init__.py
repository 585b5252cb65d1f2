"""Figures of an epoch, and what the curves of all epochs say about a training."""
