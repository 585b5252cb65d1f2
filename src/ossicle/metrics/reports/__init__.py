"""Figures of events, frames and recordings, by label."""
