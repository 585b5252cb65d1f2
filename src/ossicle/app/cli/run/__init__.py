"""Commands that start, run and look after a project."""
