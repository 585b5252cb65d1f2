"""Keys that several steps add to their fingerprints."""

from pathlib import PurePosixPath
from typing import Any

from ossicle.app.project.load import Project
from ossicle.core.records import Recording
from ossicle.core.settings import digestible

# The frames of these files are searched for, and a newer reader may find more of them.
_SEARCHED_FRAMES = frozenset({".mp2", ".mp3"})


def postprocess_key(project: Project) -> dict[str, Any]:
    """Return what post-processing adds to the settings of a step that reads tracks; empty without post-processing."""
    postprocess = project.settings.postprocess
    return {} if postprocess.does_nothing else {"postprocess": digestible(postprocess)}


def slice_key(project: Project) -> dict[str, Any]:
    """Return which fraction of the held-out clips is scored; empty for all of them."""
    evaluation = project.settings.evaluation
    return {} if evaluation.fraction >= 1 else {"slice": [evaluation.fraction, evaluation.floor, evaluation.seed]}


def sound_key(recording: Recording) -> list[str | int]:
    """Return what identifies the sound that a step reads of a recording.

    Parameters
    ----------
    recording
        The recording, as the index lists it.

    Returns
    -------
    list[str | int]
        Its id and the digest of its file. The number of samples is added for MP3 and MP2 files and for recordings of
        which only a part decodes: a newer reader may find another length in the same bytes, and then the step must
        run again.
    """
    may_change = recording.status == "partial" or PurePosixPath(recording.path).suffix.lower() in _SEARCHED_FRAMES
    return [recording.id, recording.digest, *([recording.n_samples] if may_change else [])]
