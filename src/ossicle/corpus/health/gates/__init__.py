"""Figures of events that gates judge, the gates, and the comparison with an earlier report."""
