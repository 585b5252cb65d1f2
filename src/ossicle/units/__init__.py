"""Acoustic units: quantiser, unit sequences, motifs. Sees only arrays and feature shards; needs no torch."""
