"""Features of a project, a search in them, and embeddings of any files."""
