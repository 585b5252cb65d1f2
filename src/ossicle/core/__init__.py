"""Values that every other package uses, without I/O. Depends on NumPy only."""
