"""The parts of a score track that are evaluated."""

import numpy as np

from ossicle.core.intervals import Intervals
from ossicle.core.tracks import ScoreTrack, rasterise

# A score that no threshold reaches.
_NEVER = np.float32(-1.0)


def with_labels(track: ScoreTrack, labels: tuple[str, ...]) -> ScoreTrack:
    """Return the track with all evaluated labels; labels that the model does not know are never detected."""
    missing = [label for label in labels if label not in track.labels]
    if not missing:
        return track
    never = np.full((len(track.scores), len(missing)), _NEVER, dtype=np.float32)
    scores = np.concatenate([track.scores, never], axis=1)
    return ScoreTrack((*track.labels, *missing), scores, track.hop_s, track.duration_s)


def where_known(track: ScoreTrack, known: Intervals | None) -> ScoreTrack:
    """Return the track without detections in unchecked stretches, where it is unknown whether an event is right."""
    if known is None:
        return track
    scores = np.array(track.scores)
    scores[rasterise(known, len(scores), track.hop_s) < 1.0] = _NEVER
    return ScoreTrack(track.labels, scores, track.hop_s, track.duration_s)
