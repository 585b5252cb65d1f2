"""Ossicle: from sound recordings to a detector you can trust in the field."""
