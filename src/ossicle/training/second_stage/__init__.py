"""The fit of a second stage: trees that re-score events from how they sound."""
