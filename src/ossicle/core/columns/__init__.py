"""Annotations, clips and events as columns, for corpora of millions."""
