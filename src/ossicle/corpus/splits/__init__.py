"""Folds that do not cut a group, published folds, and the audit of leaks."""
