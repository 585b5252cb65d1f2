"""Values without I/O: what the other packages speak of. NumPy only."""
