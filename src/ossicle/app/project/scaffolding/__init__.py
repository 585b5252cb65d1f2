"""`ossicle new`: a project file from a recipe and a look at the recordings."""
