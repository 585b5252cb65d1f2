"""Answers to "which label is this clip?": figures of one answer per clip, and of several labels per clip."""
