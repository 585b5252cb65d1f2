"""Ossicle: from sound recordings to a detector you can trust in the field.

The names below are the Python interface; everything else may change between versions (see UPGRADING.md). They are
loaded when first used, so that ``import ossicle`` costs nothing.

Times are seconds from the start of a recording; intervals are float64 arrays of shape (n, 2).

>>> import numpy as np, ossicle
>>> call = ossicle.Annotation(recording_id="a1", start_s=1.0, end_s=1.1, label="call")
>>> event = ossicle.Event(start_s=1.01, end_s=1.1, label="call", score=0.9)
>>> reference, predicted = np.array([[call.start_s, call.end_s]]), np.array([[event.start_s, event.end_s]])
>>> ossicle.match(reference, predicted, ossicle.IouMatch(threshold=0.5)).tolist()
[[0, 0]]
>>> scores = np.array([[0.1], [0.9], [0.8], [0.2]], np.float32)
>>> track = ossicle.ScoreTrack(("call",), scores, hop_s=0.01, duration_s=0.04)
>>> ossicle.decide(track, {"call": ossicle.Decision(on=0.5, off=0.5)})[0].end_s
0.03

A bundle on a recording, without PyTorch::

    bundle = ossicle.read_bundle(Path("bundle"))
    prediction = ossicle.predict_file("tape.wav", ossicle.OnnxPredictor(bundle), bundle.decisions)
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ossicle.bundle.format import read_bundle
    from ossicle.bundle.onnx_runtime import OnnxPredictor
    from ossicle.core.decision import Decision
    from ossicle.core.records import Annotation, Recording
    from ossicle.core.tracks import Event, ScoreTrack
    from ossicle.inference.batch import predict_file, stream_file
    from ossicle.inference.decisions.decide import decide
    from ossicle.metrics.events import evaluate_events
    from ossicle.metrics.matching import CollarMatch, IouMatch, match

_PLACES = {
    "Annotation": "ossicle.core.records",
    "CollarMatch": "ossicle.metrics.matching",
    "Decision": "ossicle.core.decision",
    "Event": "ossicle.core.tracks",
    "IouMatch": "ossicle.metrics.matching",
    "OnnxPredictor": "ossicle.bundle.onnx_runtime",
    "Recording": "ossicle.core.records",
    "ScoreTrack": "ossicle.core.tracks",
    "decide": "ossicle.inference.decisions.decide",
    "evaluate_events": "ossicle.metrics.events",
    "match": "ossicle.metrics.matching",
    "predict_file": "ossicle.inference.batch",
    "read_bundle": "ossicle.bundle.format",
    "stream_file": "ossicle.inference.batch",
}

__all__ = [
    "Annotation",
    "CollarMatch",
    "Decision",
    "Event",
    "IouMatch",
    "OnnxPredictor",
    "Recording",
    "ScoreTrack",
    "decide",
    "evaluate_events",
    "match",
    "predict_file",
    "read_bundle",
    "stream_file",
]


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'ossicle' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
