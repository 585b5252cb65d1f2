"""Pseudo-labels: windows of unlabelled recordings that models labelled, round after round."""
