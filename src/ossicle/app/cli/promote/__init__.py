"""Commands that promote runs and keep their results."""
