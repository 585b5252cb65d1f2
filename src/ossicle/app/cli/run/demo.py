"""``ossicle demo``: the main job, end to end, on synthetic tapes that ship as code."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import ProgressKind
from ossicle.app.cli.table import print_metrics, print_rows
from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.app.project.load import load_project
from ossicle.artefacts.files import read_json, write_text
from ossicle.artefacts.typed.published import PublishedResults
from ossicle.bundle.format import read_bundle
from ossicle.bundle.onnx_runtime import OnnxPredictor
from ossicle.core.errors import OssicleError
from ossicle.core.intervals import Intervals, as_intervals
from ossicle.core.tracks import Event, event_order
from ossicle.corpus.formats.raven import raven_name, read_raven, write_raven
from ossicle.corpus.formats.rows import RawSelection
from ossicle.corpus.synthetic.tapes import SynthSettings, make_tapes
from ossicle.inference.batch import predict_file, stream_file
from ossicle.inference.delivery import bundled_delivery
from ossicle.inference.second_stage.file import bundled_second_stage
from ossicle.metrics.event_report import EventReport
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching import IouMatch

TAPES = SynthSettings(tapes=12, minutes=1.5, sites=4, empty_tapes=1, seed=0, workers=2)
FIELD = SynthSettings(tapes=2, minutes=1.0, sites=2, empty_tapes=0, seed=1)
_PROJECT = """\
base = "recipe:demo"     # the recipe's values may be overridden here

[project]
name = "synthetic-tapes"
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    folder: Annotated[Path, typer.Argument(help="Folder for the demo project.")] = Path("ossicle-demo"),
    progress: ProgressKind = "auto",
) -> None:
    """Run everything once on synthetic recordings: train, evaluate, export, predict, stream, report. Takes minutes."""
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.run_project import refusal_of, run_project

    began = time.monotonic()
    _tapes(folder / "tapes", TAPES)
    _tapes(folder / "field", FIELD)
    file = folder / PROJECT_FILE
    if not file.exists():
        write_text(file, _PROJECT)
    made_s = time.monotonic() - began
    project, results = load_project(file), PublishedResults(folder)
    with make_progress(progress) as shown:
        done = run_project(project, shown)
    if (refused := refusal_of(project, done)) is not None:
        print_metrics(read_json(results.metrics))
        print(results.report)
        raise refused
    began = time.monotonic()
    field = _in_the_field(folder)
    field_s = time.monotonic() - began
    phases = [("tapes", made_s), *done.seconds.items(), ("predict, stream", field_s)]
    print_rows(
        ("phase", "seconds"),
        [(name, f"{seconds:.1f}") for name, seconds in phases],
        total=("total", f"{sum(seconds for _, seconds in phases):.1f}"),
    )
    print_metrics(read_json(results.metrics))
    f1 = field.pooled.rates.f1.value
    print(
        f"two new tapes from two sites: {field.pooled.n_predicted} events predicted without torch, F1 {f1:.3f} against "
        f"{field.pooled.n_reference} annotations; streaming gave the same events\n"
    )
    for place in (results.report, results.bundle, results.metrics, folder / "field" / "predictions"):
        print(place)


def _tapes(folder: Path, settings: SynthSettings) -> None:
    """Make tapes once; a folder that holds the settings it was made with is whole."""
    stamp = folder / "tapes.json"
    wanted = json.dumps(str(settings))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    make_tapes(folder, settings)
    write_text(stamp, wanted)


def _in_the_field(folder: Path) -> EventReport:
    """Predict the new tapes with the bundle, as Raven tables, check that the stream agrees, and judge the events."""
    bundle = read_bundle(PublishedResults(folder).bundle)
    predictor, second, given = OnnxPredictor(bundle), bundled_second_stage(bundle), bundled_delivery(bundle)
    place = folder / "field" / "predictions"
    place.mkdir(exist_ok=True)
    references: dict[str, dict[str, Intervals]] = {}
    predictions: dict[str, dict[str, Intervals]] = {}
    durations_s: dict[str, float] = {}
    for path in sorted((folder / "field" / "audio").iterdir()):
        found = predict_file(path, predictor, bundle.decisions, second_stage=second, delivery=given)
        emitted = stream_file(path, predictor, bundle.decisions, 1.0, second_stage=second, delivery=given)
        heard = sorted((one.event for one in emitted), key=event_order)
        if not _alike(found.events, heard):
            raise OssicleError(f"{path}: streaming and file prediction gave different events; please report this bug")
        rows = [RawSelection(one.start_s, one.end_s, one.label, confidence=one.score) for one in found.events]
        write_raven(place / raven_name(path.name), rows, audio_name=path.name)
        truth = read_raven(folder / "field" / "selections" / raven_name(path.name))
        durations_s[path.name] = found.end_s
        for times, of in ((references, truth), (predictions, rows)):
            times[path.name] = {
                label: as_intervals([(one.start_s, one.end_s) for one in of if one.label == label])
                for label in bundle.labels
            }
    return evaluate_events(references, predictions, durations_s, bundle.labels, IouMatch(threshold=0.5))


def _alike(one: tuple[Event, ...], other: list[Event]) -> bool:
    return len(one) == len(other) and all(
        (a.start_s, a.end_s, a.label) == (b.start_s, b.end_s, b.label) for a, b in zip(one, other, strict=True)
    )
