"""Copies of a project and its artefacts to a volume of Modal and back."""
