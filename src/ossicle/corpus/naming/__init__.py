"""File names: listings, globs, name templates, and which table belongs to which recording."""
