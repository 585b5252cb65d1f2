"""Paths of score tracks."""

from pathlib import Path


def track_path(scores: Path, recording_id: str) -> Path:
    """Return the path of a recording's score track in the artefact ``scores``."""
    return scores / "tracks" / recording_id
