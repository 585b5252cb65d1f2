"""Annotation and score tables of other programs: one module per format, and a registry of all formats."""
