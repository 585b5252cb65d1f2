"""Rules that turn scores into events or states, as data."""
