"""Pseudo-labels: windows of unlabelled recordings that models labelled, in rounds."""
