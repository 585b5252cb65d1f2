"""Variants of a project: overlays of its settings, the presets among them, and what each starts from."""
