"""Commands that start, run and maintain a project."""
