"""What is judged: the labels, the recordings, and of the scores what lies where somebody looked."""

import numpy as np

from ossicle.app.project.benchmark import BenchmarkSettings
from ossicle.app.steps.benchmark.figures import Judging
from ossicle.app.steps.benchmark.index import BenchmarkTruth
from ossicle.app.steps.benchmark.models import Opened
from ossicle.core.errors import UsageError
from ossicle.core.intervals import Intervals
from ossicle.core.tracks import ScoreTrack, rasterise

# A score that no threshold reaches.
_NEVER = np.float32(-1.0)


def judged_labels(truth: BenchmarkTruth, opened: Opened, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that are judged: those annotated, for every model alike; UsageError where it knows none of them."""
    labels = wanted or truth.labels
    if not set(labels) & set(opened.bundle.labels):
        raise UsageError(
            f"{opened.reading.model.name} knows {', '.join(opened.bundle.labels)}, and the benchmark's annotations "
            f"hold {', '.join(labels) or 'no label'}: none is the same; name the labels to judge in "
            "[benchmark] labels, or rename them in the tables (default_label in [corpus] names rows that have none)"
        )
    return labels


def judging_of(truth: BenchmarkTruth, labels: tuple[str, ...], settings: BenchmarkSettings) -> Judging:
    """What every decision is judged on: the annotated recordings, their tapes, and the qualities of annotations."""
    return Judging(
        labels=labels,
        criteria=settings.criteria,
        tapes=tuple(truth.tapes[key] for key in truth.ids),
        seconds=np.array([truth.seconds(key) for key in truth.ids]),
        qualities={
            label: [
                "unknown" if note.quality is None else str(note.quality)
                for key in truth.ids
                for note in truth.notes(key, label)
            ]
            for label in labels
        },
        n_bootstrap=settings.bootstrap,
        seed=settings.seed,
    )


def with_labels(track: ScoreTrack, labels: tuple[str, ...]) -> ScoreTrack:
    """The track, its judged labels complete: what a model does not know it never finds."""
    missing = [label for label in labels if label not in track.labels]
    if not missing:
        return track
    never = np.full((len(track.scores), len(missing)), _NEVER, dtype=np.float32)
    scores = np.concatenate([track.scores, never], axis=1)
    return ScoreTrack((*track.labels, *missing), scores, track.hop_s, track.duration_s)


def where_known(track: ScoreTrack, known: Intervals | None) -> ScoreTrack:
    """The track, nothing being found where nobody looked: whether an event is right there is not known."""
    if known is None:
        return track
    scores = np.array(track.scores)
    scores[rasterise(known, len(scores), track.hop_s) < 1.0] = _NEVER
    return ScoreTrack(track.labels, scores, track.hop_s, track.duration_s)
