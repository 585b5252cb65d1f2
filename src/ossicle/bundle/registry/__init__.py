"""The registry: promoted bundles by name and version. No torch."""
