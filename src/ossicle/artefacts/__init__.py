"""Artefacts on disk: written atomically, with fingerprints, resumable, safe to move.

Files and folders are written beside their final path, synced and renamed (invariant 5). The Parquet writer, the blocks
of score tracks, the journal from which a step resumes, and the shelf that finds artefacts by their settings (invariant
6) all build on that. Standard library, NumPy and polars only.
"""
