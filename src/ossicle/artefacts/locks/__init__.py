"""Locks of projects and work units, with and without `fcntl`."""
