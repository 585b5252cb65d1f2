"""Review rounds: choose what to check, export tables, read the answers."""
