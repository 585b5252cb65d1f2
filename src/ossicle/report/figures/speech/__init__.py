"""Figures of acoustic units and of resynthesised speech."""
