"""What is missing before a run, for each kind of project."""
