"""Recordings to download before anything else: the settings, and the table that lists the files."""
