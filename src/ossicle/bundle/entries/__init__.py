"""Entries of ``bundle.json`` that only some bundles have, as plain JSON and back."""
