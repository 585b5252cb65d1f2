"""Which steps a project has, what it publishes, and how far it is."""
