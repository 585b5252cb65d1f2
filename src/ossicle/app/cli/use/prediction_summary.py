"""``predictions.json``: what ``predict`` did with each recording, and the same in words."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ossicle.app.api.bundles.loaded_bundle import LoadedBundle
from ossicle.app.api.predictions.recording_prediction import RecordingPrediction
from ossicle.app.api.states.state_prediction import StatePrediction
from ossicle.app.cli.use.recording_warnings import rate_of
from ossicle.artefacts.files import write_json
from ossicle.audio.recorder.metadata import time_expansion_of
from ossicle.core.model_input.missing_band import missing_from_hz
from ossicle.core.text.counting import counted

SUMMARY = "predictions.json"


def write_summary(path: Path, done: Sequence[RecordingPrediction], bundle: LoadedBundle) -> dict[str, Any]:
    """Write ``predictions.json`` to a path and return its content.

    ``channels_cancel`` is how many dB the mean of the channels of a recording lies below the loudest one, negative, if
    they cancel each other in all or a part of it; else null. ``time_expansion`` is how many times slower a file is than
    its sound was, if its recorder says that it is; its events are in the time of the file. ``band_missing_from_hz`` is
    the frequency from which on a recording holds nothing because of its rate, if the model reads far beyond it.
    """
    engine = bundle.engine
    summary = {
        "ossicle": version("ossicle"),
        "bundle": bundle.name,
        "runtime": engine.runtime,
        "precision": engine.precision,
        "folds": engine.folds,
        "threads": engine.threads,
        "device": engine.device if engine.runtime == "torch" else "cpu",
        "channel": bundle.channel,
        "labels": list(bundle.labels),
        "recordings": [
            {
                "recording": prediction.name,
                "status": prediction.status,
                "reason": prediction.reason,
                "read_to_s": round(prediction.end_s, 6),
                "events": len(prediction.events),
                "channels_cancel": prediction.channels_cancel_db,
                "time_expansion": None if prediction.path is None else time_expansion_of(prediction.path),
                "band_missing_from_hz": _missing_from_hz(prediction, bundle),
            }
            for prediction in done
        ],
    }
    write_json(path, summary)
    return summary


def in_words(prediction: RecordingPrediction, *, reused: bool) -> str:
    """Return how many events were found, and what became of a recording that is not whole."""
    return outcome_in_words(counted(len(prediction.events), "event"), prediction, reused=reused)


def outcome_in_words(found: str, prediction: RecordingPrediction | StatePrediction, *, reused: bool) -> str:
    """Return what was found, and what became of a recording that is not whole."""
    outcome = f"{found}{' (done before)' if reused else ''}"
    outcome += "" if prediction.status == "ok" else f"  {prediction.status.replace('_', ' ')}"
    return outcome + (f": {prediction.reason}" if prediction.reason else "")


def _missing_from_hz(prediction: RecordingPrediction, bundle: LoadedBundle) -> float | None:
    rate = None if prediction.path is None else rate_of(prediction.path)
    return None if rate is None else missing_from_hz(rate, bundle.top_hz)
