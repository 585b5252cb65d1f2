"""Which steps a project has, what it publishes, and its status."""
