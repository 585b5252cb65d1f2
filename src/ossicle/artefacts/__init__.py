"""Artefacts on disk: whole or absent, fingerprinted, resumable, safe to move.

Files and folders are written beside their place, synced and renamed (invariant 5). The only Parquet writer, the blocks
that score tracks are kept in, the journal that a step resumes from, and the shelf that knows which artefact belongs to
which settings (invariant 6) all stand on that. Standard library, NumPy and polars only.
"""
