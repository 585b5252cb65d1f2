"""Manifests of events: JSON lines, one event a line, read in blocks of bytes and never as a whole."""
