"""Criteria: objects that answer what is judged, by which rule, and what there is to show of it."""
