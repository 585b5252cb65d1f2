"""Encoders of short frames, and the frames of segments of speech: the features that acoustic units are made of."""
