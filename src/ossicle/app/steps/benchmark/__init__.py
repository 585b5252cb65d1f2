"""The benchmark: score models on a separate corpus once for each model, window and step, then decide many times."""
