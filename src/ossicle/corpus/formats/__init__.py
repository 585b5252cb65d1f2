"""Annotation and score tables of other programs: one module a format, and the table of them all."""
