"""Steps that make the bundle and the report."""
