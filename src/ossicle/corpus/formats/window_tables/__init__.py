"""Tables with one row per window and one column per label."""
