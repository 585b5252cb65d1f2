"""Checks of an installation and of a project, from data to promotion."""
