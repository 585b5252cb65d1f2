"""What the Python interface offers for bundles of states."""
