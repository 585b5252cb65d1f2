"""The journal of finished work units, and the run log."""
