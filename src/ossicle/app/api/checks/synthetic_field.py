"""Synthetic tapes, and the prediction of new ones with a bundle: what the demo and the self-test have in common."""

import json
from pathlib import Path

from ossicle.artefacts.files import write_text
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_regular
from ossicle.artefacts.typed.results.published import PublishedResults
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.core.errors import OssicleError
from ossicle.core.intervals import Intervals, as_intervals
from ossicle.core.tracks import Event, event_order
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import raven_name, read_raven, write_raven
from ossicle.corpus.synthetic.tapes import SynthSettings, make_tapes
from ossicle.inference.batch import predict_file, stream_file
from ossicle.inference.delivery import bundled_delivery
from ossicle.inference.second_stage.file import bundled_second_stage
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import IouMatch
from ossicle.metrics.reports.event_report import EventReport


def make_tapes_once(folder: Path, settings: SynthSettings) -> None:
    """Make synthetic recordings; a folder that holds their settings is complete and stays as it is."""
    stamp = folder / "tapes.json"
    stamp_text = json.dumps(str(settings))
    if stamp.exists() and read_regular(stamp, MOST_ARTEFACT_BYTES).decode() == stamp_text:
        return
    make_tapes(folder, settings)
    write_text(stamp, stamp_text)


def predict_field(folder: Path) -> EventReport:
    """Predict the recordings in ``folder/field`` with the bundle of a project, and compare them with annotations.

    The events go to ``folder/field/predictions`` as Raven tables.

    Parameters
    ----------
    folder
        The folder of a finished project; ``field`` holds ``audio`` and ``selections`` as ``make_tapes`` writes them.

    Returns
    -------
    EventReport
        The figures of all recordings.

    Raises
    ------
    OssicleError
        A stream gave other events than the whole file.
    """
    bundle = read_bundle(PublishedResults(folder).bundle)
    predictor, second, delivery = OnnxPredictor(bundle), bundled_second_stage(bundle), bundled_delivery(bundle)
    predictions_folder = folder / "field" / "predictions"
    make_folder(predictions_folder)
    references: dict[str, dict[str, Intervals]] = {}
    predictions: dict[str, dict[str, Intervals]] = {}
    durations_s: dict[str, float] = {}
    for path in sorted((folder / "field" / "audio").iterdir()):
        prediction = predict_file(path, predictor, bundle.decisions, second_stage=second, delivery=delivery)
        emitted = stream_file(path, predictor, bundle.decisions, 1.0, second_stage=second, delivery=delivery)
        heard = sorted((emitted_event.event for emitted_event in emitted), key=event_order)
        if not _are_equal(prediction.events, heard):
            raise OssicleError(f"{path}: streaming and file prediction gave different events; please report this bug")
        rows = [
            RawSelection(event.start_s, event.end_s, event.label, confidence=event.score) for event in prediction.events
        ]
        write_raven(predictions_folder / raven_name(path.name), rows, audio_name=path.name)
        truth = read_raven(folder / "field" / "selections" / raven_name(path.name))
        durations_s[path.name] = prediction.end_s
        for times, raw_selections in ((references, truth), (predictions, rows)):
            times[path.name] = {
                label: as_intervals(
                    [
                        (raw_selection.start_s, raw_selection.end_s)
                        for raw_selection in raw_selections
                        if raw_selection.label == label
                    ]
                )
                for label in bundle.labels
            }
    return evaluate_events(references, predictions, durations_s, bundle.labels, IouMatch(threshold=0.5))


def _are_equal(events: tuple[Event, ...], other: list[Event]) -> bool:
    return len(events) == len(other) and all(
        (a.start_s, a.end_s, a.label) == (b.start_s, b.end_s, b.label) for a, b in zip(events, other, strict=True)
    )
