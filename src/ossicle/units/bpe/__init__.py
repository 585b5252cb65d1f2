"""Byte pair encoding over units: tokens, how they are learned, and which pairs are more frequent than chance."""
