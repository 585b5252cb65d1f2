"""Processes that end with their run."""
