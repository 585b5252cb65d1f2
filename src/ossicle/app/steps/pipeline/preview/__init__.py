"""What a run will use, leave out, hold out and cost, for each kind of project."""
