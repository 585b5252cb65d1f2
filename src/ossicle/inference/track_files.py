"""Where the score track of a recording lies."""

from pathlib import Path


def track_path(scores: Path, recording_id: str) -> Path:
    """Where the score track of a recording lies in the artefact ``scores``."""
    return scores / "tracks" / recording_id
