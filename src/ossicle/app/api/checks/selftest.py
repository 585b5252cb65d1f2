"""Check an installation with built-in sound: decoding, indexing, judging, and with torch training to prediction.

The checks are data. Each runs in the same folder, after those before it; one that fails does not stop the others.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ossicle.app.api.checks.synthetic_field import make_tapes_once, predict_field
from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.data import store
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import refusal_of, run_project
from ossicle.artefacts.files import read_json, write_text
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.published import PublishedResults
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.audio.click_check import click_faults
from ossicle.audio.store.verify import verify_store
from ossicle.core.errors import OssicleError
from ossicle.core.intervals import as_intervals
from ossicle.corpus.formats.raven import read_raven
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.synthetic.tapes import SynthSettings
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import IouMatch

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
TAPES = SynthSettings(tapes=4, minutes=0.3, sites=2, empty_tapes=1, seed=0)
FIELD = SynthSettings(tapes=1, minutes=0.3, sites=1, empty_tapes=0, seed=1)
_PROJECT = """\
base = "recipe:demo"

[project]
name = "selftest"

[split]
folds = 2

[training]
preset = "quick"

[evaluation]
bootstrap = 100

[noise_gate]                  # a model of seconds of training fires on much
off = ["silence", "white_noise", "hum", "speech_like", "recordings"]
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it is about, whether it trains, and a function that returns what it saw.

    ``run`` raises an error if something is wrong.
    """

    name: str
    about: str
    trains: bool
    run: Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a check ended: ``passed``, ``failed`` or ``skipped``, after how many seconds, and what it says."""

    name: str
    outcome: str
    seconds: float
    message: str


def _decoding(folder: Path) -> str:
    if faults := click_faults(folder):
        raise OssicleError("; ".join(faults))
    return "a click at 1.000 s is there in WAV, FLAC, Ogg and MP3"


def _indexing(folder: Path) -> str:
    project = _project(folder)
    done = run_project(project, Silent(), until=store.STEP.name)
    index = read_index(CorpusFolder.among(done.artefacts))
    stated = sum(len(read_raven(path)) for path in sorted((folder / "tapes" / "selections").iterdir()))
    counts = (len(index.recordings), len(index.annotations), len(index.left_out))
    if counts != (TAPES.tapes, stated, 0):
        raise OssicleError(
            f"{counts[0]} recordings, {counts[1]} annotations and {counts[2]} left out, not {TAPES.tapes}, {stated} "
            "and 0"
        )
    if problems := verify_store(StoreFolder.among(done.artefacts).path):
        raise OssicleError("; ".join(problems))
    return f"{counts[0]} recordings and {counts[1]} annotations, as written; all samples in the store"


def _judging(folder: Path) -> str:
    calls = {"a.wav": {"call": as_intervals([(0.0, 1.0), (2.0, 3.0), (5.0, 6.0)])}}
    predicted = {"a.wav": {"call": as_intervals([(0.0, 1.0), (2.1, 3.1), (8.0, 9.0)])}}
    report = evaluate_events(calls, predicted, {"a.wav": 10.0}, ("call",), IouMatch(threshold=0.5), n_bootstrap=10)
    f1 = float(report.pooled.rates.f1.value)
    if abs(f1 - 2 / 3) > 1e-12:
        raise OssicleError(f"two of three events found by three predictions have F1 {f1:.6f}, not 0.666667")
    return "two of three events found by three predictions: F1 0.667"


def _training(folder: Path) -> str:
    project = _project(folder)
    done = run_project(project, Silent())
    if (refused := refusal_of(project, done)) is not None:
        raise refused
    results = PublishedResults(folder)
    if missing := [path.name for path in (results.metrics, results.report, results.bundle) if not path.exists()]:
        raise OssicleError(f"the run wrote no {', '.join(missing)}")
    return (
        f"steps {', '.join(done.artefacts)}; F1 {_f1(results.metrics)} after seconds of training, which proves nothing"
    )


def _f1(metrics: Path) -> str:
    value = read_json(metrics)["events"]["f1"]["value"]
    return "undefined" if value is None else f"{value:.2f}"


def _prediction(folder: Path) -> str:
    make_tapes_once(folder / "field", FIELD)
    report = predict_field(folder)
    return f"{report.pooled.n_predicted} events in a new tape without torch; its stream gives the same events"


CHECKS: tuple[Check, ...] = (
    Check("decoding", "Decode a click in four kinds of files, and find it at its time.", False, _decoding),
    Check("indexing", "Index synthetic tapes, build the dataset and the store, and verify both.", False, _indexing),
    Check("judging", "Compare events with annotations whose figures are known.", False, _judging),
    Check("training", "Train, score, decide, evaluate, and write bundle and report.", True, _training),
    Check("prediction", "Predict a new tape with the bundle, as a file and as a stream.", True, _prediction),
)


def selftest(folder: Path, checks: tuple[Check, ...] = CHECKS) -> Iterator[CheckResult]:
    """Run the checks one after the other, and yield how each ended.

    Parameters
    ----------
    folder
        An empty folder for what the checks write.
    checks
        The checks; those that train are skipped where torch is not installed.
    """
    for check in checks:
        if check.trains and not trains():
            yield CheckResult(check.name, SKIPPED, 0.0, "needs torch: pip install 'ossicle[train]'")
            continue
        began = time.monotonic()
        try:
            outcome, message = PASSED, check.run(folder)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with an installation, the other checks must run
            outcome, message = FAILED, f"{type(error).__name__}: {error}"
        yield CheckResult(check.name, outcome, time.monotonic() - began, message)


@cache
def trains() -> bool:
    """Return whether torch is installed."""
    return find_spec("torch") is not None


def _project(folder: Path) -> Project:
    """Return the project of the self-test, and make it and its tapes if they are missing."""
    make_tapes_once(folder / "tapes", TAPES)
    file = folder / PROJECT_FILE
    if not file.exists():
        write_text(file, _PROJECT)
    # Not $OSSICLE_DATA_ROOT: nothing of the user is touched.
    return load_project(file, data_root=folder / "data")
