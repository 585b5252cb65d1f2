"""The project file: TOML to frozen settings, and where a project's things lie."""
