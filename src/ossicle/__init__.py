"""Ossicle: from sound recordings to a model you can trust in the field.

The names below are the Python interface, explained in docs/python.md; everything else may change between versions (see
UPGRADING.md). They are loaded when they are first used, so that ``import ossicle`` costs nothing. What runs a bundle
needs no PyTorch.

Times are seconds from the start of a recording.

>>> import ossicle
>>> call = ossicle.Annotation(recording_id="a1", start_s=1.0, end_s=1.1, label="call")
>>> event = ossicle.Event(start_s=1.01, end_s=1.1, label="call", score=0.9)
>>> half = ossicle.IouMatch(threshold=0.5)
>>> ossicle.match([[call.start_s, call.end_s]], [[event.start_s, event.end_s]], half).tolist()
[[0, 0]]
>>> track = ossicle.ScoreTrack(["call"], [[0.1], [0.9], [0.8], [0.2]], hop_s=0.01, duration_s=0.04)
>>> ossicle.decide(track, {"call": ossicle.Decision(on=0.5, off=0.5)})[0].end_s
0.03

A bundle on recordings::

    bundle = ossicle.load_bundle("bundle")
    found = bundle.predict("recordings/")
    found.to_csv("events.csv")
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ossicle.app.api.annotations import Annotations, read_annotations, write_annotations
    from ossicle.app.api.audio_files import load_audio
    from ossicle.app.api.bundles.bundle_facts import read_bundle
    from ossicle.app.api.bundles.loaded_bundle import LoadedBundle, load_bundle
    from ossicle.app.api.evaluation.event_evaluation import EventEvaluation, evaluate
    from ossicle.app.api.predictions.predictions import Predictions
    from ossicle.app.api.predictions.recording_prediction import RecordingPrediction
    from ossicle.app.api.project_run import Project, ProjectRun
    from ossicle.core.decisions.decision import Decision
    from ossicle.core.errors import (
        ArtefactError,
        AudioError,
        BundleError,
        FetchError,
        FormatError,
        GateRefused,
        LockedError,
        OssicleError,
        ProjectError,
        SplitError,
        UsageError,
    )
    from ossicle.core.records import Annotation, Recording
    from ossicle.core.tracks import Event, ScoreTrack
    from ossicle.inference.decisions.decide import decide
    from ossicle.inference.event_stream import EventStream
    from ossicle.metrics.events import evaluate_events
    from ossicle.metrics.matching.rules import CollarMatch, IouMatch, match

    __version__: str

_PLACES = {
    "Annotation": "ossicle.core.records",
    "Annotations": "ossicle.app.api.annotations",
    "ArtefactError": "ossicle.core.errors",
    "AudioError": "ossicle.core.errors",
    "BundleError": "ossicle.core.errors",
    "CollarMatch": "ossicle.metrics.matching.rules",
    "Decision": "ossicle.core.decisions.decision",
    "Event": "ossicle.core.tracks",
    "EventEvaluation": "ossicle.app.api.evaluation.event_evaluation",
    "EventStream": "ossicle.inference.event_stream",
    "FetchError": "ossicle.core.errors",
    "FormatError": "ossicle.core.errors",
    "GateRefused": "ossicle.core.errors",
    "IouMatch": "ossicle.metrics.matching.rules",
    "LoadedBundle": "ossicle.app.api.bundles.loaded_bundle",
    "LockedError": "ossicle.core.errors",
    "OssicleError": "ossicle.core.errors",
    "Predictions": "ossicle.app.api.predictions.predictions",
    "Project": "ossicle.app.api.project_run",
    "ProjectError": "ossicle.core.errors",
    "ProjectRun": "ossicle.app.api.project_run",
    "Recording": "ossicle.core.records",
    "RecordingPrediction": "ossicle.app.api.predictions.recording_prediction",
    "ScoreTrack": "ossicle.core.tracks",
    "SplitError": "ossicle.core.errors",
    "UsageError": "ossicle.core.errors",
    "decide": "ossicle.inference.decisions.decide",
    "evaluate": "ossicle.app.api.evaluation.event_evaluation",
    "evaluate_events": "ossicle.metrics.events",
    "load_audio": "ossicle.app.api.audio_files",
    "load_bundle": "ossicle.app.api.bundles.loaded_bundle",
    "match": "ossicle.metrics.matching.rules",
    "read_annotations": "ossicle.app.api.annotations",
    "read_bundle": "ossicle.app.api.bundles.bundle_facts",
    "write_annotations": "ossicle.app.api.annotations",
}

# Former names ran the model of a bundle without its pooling, post-processing, second stage, calibration or members.
_FORMER = {
    "OnnxPredictor": "load_bundle(folder).predictor",
    "predict_file": "load_bundle(folder).predict_file(recording)",
    "stream_file": "load_bundle(folder).stream_file(recording)",
}

__all__ = [
    "Annotation",
    "Annotations",
    "ArtefactError",
    "AudioError",
    "BundleError",
    "CollarMatch",
    "Decision",
    "Event",
    "EventEvaluation",
    "EventStream",
    "FetchError",
    "FormatError",
    "GateRefused",
    "IouMatch",
    "LoadedBundle",
    "LockedError",
    "OssicleError",
    "Predictions",
    "Project",
    "ProjectError",
    "ProjectRun",
    "Recording",
    "RecordingPrediction",
    "ScoreTrack",
    "SplitError",
    "UsageError",
    "__version__",
    "decide",
    "evaluate",
    "evaluate_events",
    "load_audio",
    "load_bundle",
    "match",
    "read_annotations",
    "read_bundle",
    "write_annotations",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        # Reading the version is slow, and few programs ask for it.
        return importlib.import_module("importlib.metadata").version("ossicle")
    if name in _PLACES:
        attribute = getattr(importlib.import_module(_PLACES[name]), name)
        globals()[name] = attribute
        return attribute
    if name in _FORMER:
        raise AttributeError(
            f"module 'ossicle' has no attribute {name!r} any more, because it left out parts of a bundle; use "
            f"ossicle.{_FORMER[name]}, which finds the events of `ossicle predict`"
        )
    raise AttributeError(f"module 'ossicle' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
