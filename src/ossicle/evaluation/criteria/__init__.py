"""Criteria: objects that define what is evaluated, by which rule, and what is shown about it."""
