"""Commands that run a bundle on recordings."""
