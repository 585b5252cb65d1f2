"""Recipes: project files with defaults, as data. ``base = "recipe:tapes"`` starts from one."""
