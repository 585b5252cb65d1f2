"""Quality of out-of-fold scores without a decision, over all thresholds: figures of frames, and PSDS."""

from collections.abc import Iterator
from typing import Any

from ossicle.artefacts.typed.scores import TracksFolder
from ossicle.core.scores.postprocess import Postprocess
from ossicle.evaluation.ground_truth import Truth, read_tracks
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.frames import FrameScores, frames_of
from ossicle.metrics.psds.score import Psds, psds
from ossicle.metrics.psds.settings import PRESETS
from ossicle.metrics.reports.frame_report import FrameTally


def score_figures(
    truth: Truth, scores: TracksFolder, postprocess: Postprocess, settings: EvaluationSettings
) -> dict[str, Any]:
    """Return ``frames``, and ``psds`` where the criterion judges times of start and end.

    Each recording's scores come from the model that held out its group; a calibration is that of these models together.
    Tracks are read one at a time from the folder ``scores``.
    """
    tally, references = FrameTally(truth.labels), truth.references

    def tracks() -> Iterator[tuple[str, FrameScores]]:
        for key in truth.ids:
            track = frames_of(read_tracks(scores, (key,), postprocess)[key])
            tally.add(track, references[key], [label for label in truth.labels if (key, label) in truth.unknown])
            yield key, track

    values: list[Psds] = []
    if settings.kind.timed and not settings.kind.momentary:
        values = psds(tracks(), references, truth.durations_s, truth.labels, tuple(PRESETS.values()))
    else:
        for _ in tracks():
            pass
    report = tally.report([truth.groups[key] for key in truth.ids], settings.bootstrap, settings.seed)
    by_preset = {name: value.without(report.everywhere).to_json() for name, value in zip(PRESETS, values, strict=False)}
    return {"frames": report.to_json(), **({"psds": by_preset} if values else {})}
