"""Steps that score recordings."""
