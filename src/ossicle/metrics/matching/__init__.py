"""Which detection belongs to which annotation."""
