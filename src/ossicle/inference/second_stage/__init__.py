"""The second stage: trees that re-score events from acoustic features."""
