"""Promotion of runs to the registry, the probe gate, and archives of runs."""
