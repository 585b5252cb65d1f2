"""Folds that keep groups together, published folds, and the leak audit."""
