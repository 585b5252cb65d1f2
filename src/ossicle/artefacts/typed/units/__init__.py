"""Artefacts of the pipeline ``units``: segments, quantiser, unit sequences, motifs."""
