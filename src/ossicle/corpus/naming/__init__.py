"""File names: listings, globs, name templates, and the matching of tables with recordings."""
