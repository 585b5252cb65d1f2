"""What may be done with scores before a decision: combine, pool, post-process, map to probabilities."""
