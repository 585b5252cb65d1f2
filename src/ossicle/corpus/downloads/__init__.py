"""Recordings to download first: the settings, and the table that lists the files."""
