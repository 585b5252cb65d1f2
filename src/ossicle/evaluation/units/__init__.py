"""Acoustic units judged against words: what a frame and a token are, figures of a fold, and over folds."""
