"""The project file: TOML to frozen settings, and the places of a project's data."""
