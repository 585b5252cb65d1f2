"""A bundle that is ready to run, and what it says of itself."""
