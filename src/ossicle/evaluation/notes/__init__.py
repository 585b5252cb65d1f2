"""What a reader of figures must be told: labels that cannot be judged, models that find nothing."""
