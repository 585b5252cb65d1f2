"""``ossicle export`` through the command line, with networks that were never trained."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.steps.release.export import held_out, output_bundle, request, run
from ossicle.app.steps.release.export.held_out import Judged, accuracy, macro_auc
from ossicle.app.steps.release.export.int8_ranges import training_chunks
from ossicle.app.steps.release.export.request import precisions_asked
from ossicle.bundle.format import read_bundle
from ossicle.core.errors import OssicleError, UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Annotation, Recording
from ossicle.export.agreement import Agreement
from ossicle.metrics.calibration.out_of_fold import Items

from .....made_up.untrained import PROJECT, write_tapes

pytestmark = pytest.mark.usefixtures("without_training")
# A threshold of 1 fires on nothing, so that the noise gate lets networks of random weights pass.
QUIET = "decision.on=[1.0]"
PRECISIONS = ("fp32", "bf16", "fp16", "int8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("export")
    write_tapes(place, ("siteA_1", "siteB_1"))
    (place / "ossicle.toml").write_text(PROJECT)
    return place


def exported(folder: Path, ossicle: Any, *more: object) -> Any:
    return ossicle("export", "-p", folder, "--set", QUIET, "--progress", "none", *more)


def test_an_export_is_a_bundle_with_more_graphs_and_says_what_they_cost(folder: Path, ossicle: Any) -> None:
    out = folder / "out"
    asked = ("-o", out, "--precision", "int8,bf16,fp16", "--folds", "--waveform", "--set", "export.int8_auc_drop=1.0")
    ended = exported(folder, ossicle, *asked, "--budget-minutes", 90, "--audio-hours", 10)
    assert ended.code == 0, ended.err
    bundle = read_bundle(out)
    kinds = ("model", "waveform", "folds", "folds_waveform")
    graphs = {f"{kind}.onnx" if one == "fp32" else f"{kind}.{one}.onnx" for kind in kinds for one in PRECISIONS}
    assert graphs <= bundle.files.keys()
    assert "yes: fp32 in onnx needs" in ended.out

    result = json.loads((out / "export.json").read_text())
    rows = {(row["graph"], row["precision"], row["runtime"]): row for row in result["rows"]}
    runtimes = {runtime for _, _, runtime in rows}
    assert runtimes == {"onnx", "openvino"}
    assert {row[:2] for row in rows if row[2] == "onnx"} == {(kind, one) for kind in kinds for one in PRECISIONS}
    assert rows["model", "fp32", "onnx"]["max_difference"] < 1e-4
    assert 0 < rows["model", "fp16", "onnx"]["max_difference"] < rows["model", "int8", "onnx"]["max_difference"]
    judged = rows["model", "fp32", "onnx"]["out_of_fold"]
    assert judged["macro_auc_change"] == pytest.approx(0.0, abs=1e-3)
    assert judged["frames"] == 2 * 500
    # What the folds lose one by one is not claimed of their mean.
    assert rows["folds", "int8", "onnx"]["out_of_fold"] is None
    speed = rows["model", "fp32", "onnx"]["speed"]
    assert speed["times_real_time"] == pytest.approx(speed["audio_s"] / speed["seconds"], rel=0.01)
    minutes = (speed["start_s"] + 36000 * speed["seconds"] / speed["audio_s"]) / 60
    assert speed["budget_minutes"] == pytest.approx(minutes, rel=0.05, abs=0.01)
    assert result["held_out_hours"] == pytest.approx(20 / 3600, abs=1e-6)
    listed = bundle.provenance["exports"]["model.int8.onnx"]["int8 in onnx"]
    assert listed["max_difference"] == rows["model", "int8", "onnx"]["max_difference"]
    assert "| model | int8 | onnx |" in (out / "EXPORT.md").read_text()
    # The graphs that the bundle had stay what they were.
    assert (
        bundle.read_bytes("model.onnx") == (folder / "data").glob("bundle/*/bundle/model.onnx").__next__().read_bytes()
    )

    tape = folder / "audio" / "siteA_1.wav"
    for number, how in enumerate(
        (
            ("--precision", "int8"),
            ("--precision", "bf16", "--folds"),
            ("--precision", "int8", "--folds", "--runtime", "openvino"),
            ("--precision", "fp32", "--runtime", "openvino", "--threads", 2),
        )
    ):
        place = folder / f"predicted-{number}"
        assert ossicle("predict", out, tape, "-o", place, *how).code == 0
        content = json.loads((place / "predictions.json").read_text())
        assert (content["precision"], content["folds"]) == (how[1], "--folds" in how)
    ended = ossicle("predict", out, tape, "-o", folder / "x", "--runtime", "torch", "--precision", "int8")
    assert ended.code == 2
    assert "the runtime torch supports neither precision nor folds" in ended.err


def test_bf16_is_not_measured_in_openvino_where_the_processor_lacks_it(
    folder: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "_computes_bf16", lambda: False)
    ended = exported(folder, ossicle, "-o", folder / "no-bf16", "--precision", "bf16")
    assert ended.code == 0, ended.err
    assert "Not measured: bf16-openvino, because this processor does not compute in bfloat16" in ended.out
    result = json.loads((folder / "no-bf16" / "export.json").read_text())
    assert result["unmeasured"] == ["bf16-openvino"]
    assert {(row["precision"], row["runtime"]) for row in result["rows"]} == {
        ("fp32", "onnx"),
        ("fp32", "openvino"),
        ("bf16", "onnx"),
    }
    assert "Not measured: bf16-openvino" in (folder / "no-bf16" / "EXPORT.md").read_text()


def test_int8_that_loses_too_much_is_refused_with_exit_code_4(
    folder: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worse(*arguments: object) -> dict[str, Judged]:
        result = held_out.judge(*arguments)  # type: ignore[arg-type]
        base = result["torch"]
        return {name: replace(one, macro_auc=base.macro_auc - 0.006 * ("int8" in name)) for name, one in result.items()}

    monkeypatch.setattr(run, "judge", worse)
    ended = exported(folder, ossicle, "-o", folder / "refused", "--precision", "int8")
    assert ended.code == 4
    assert ended.err.startswith(
        "ossicle: int8 loses more than [export] int8_auc_drop = 0.005 allows: in onnx the macro ROC AUC falls"
    )
    assert not (folder / "refused").exists()
    loose = ("--set", "export.int8_auc_drop=0.007")
    assert exported(folder, ossicle, "-o", folder / "allowed", "--precision", "int8", *loose).code == 0


def test_an_export_that_is_not_the_model_fails(folder: Path, ossicle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "agreement", lambda expected, found: Agreement(len(found), 0.3, 0.98, 0.98, len(found)))
    ended = exported(folder, ossicle, "-o", folder / "wrong", "--precision", "fp32")
    assert ended.code == 1
    assert "model.onnx in onnx: its scores differ from torch's by up to 3.00e-01" in ended.err
    assert not (folder / "wrong").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--precision", "fp8"), "--precision fp8 is not one of: fp32, bf16, fp16, int8"),
        (("--budget-minutes", "90"), "--budget-minutes and --audio-hours must be given together"),
        (("--set", "export.int8_auc_drop=-1.0"), "int8_auc_drop"),
        (("--set", "split.strategy='random'", "--folds"), "trains no fold models"),
    ],
)
def test_wrong_wishes_are_refused_before_anything_is_computed(
    folder: Path, ossicle: Any, more: tuple[str, ...], words: str
) -> None:
    ended = exported(folder, ossicle, "-o", folder / "never", *more)
    assert ended.code == 2
    assert words in ended.err


def test_a_folder_that_is_there_is_kept(folder: Path, ossicle: Any) -> None:
    (folder / "mine").mkdir()
    assert exported(folder, ossicle, "-o", folder / "mine").code == 2
    assert list((folder / "mine").iterdir()) == []


def test_precisions_are_in_order_and_float32_is_always_there() -> None:
    assert precisions_asked(" int8, bf16,") == ("fp32", "bf16", "int8")
    assert precisions_asked("") == ("fp32",)
    with pytest.raises(UsageError):
        precisions_asked("fp64")


def items(scores: Any, positive: Any, known: Any = None) -> Items:
    return Items(scores, positive, np.ones(len(scores)), np.zeros(len(scores), dtype=np.int64), known)


def test_the_figures_against_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, roc_auc_score

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 200)
    positive = np.eye(5, dtype=bool)[truth]
    scores = (rng.random((200, 5)) + 0.5 * positive).astype(np.float32)
    expected = roc_auc_score(positive[:, :4], scores[:, :4], average="macro")
    assert macro_auc(items(scores, positive)) == pytest.approx(expected, abs=1e-9)
    # An item of which the truth is not known has no part in a label's figure, whatever is written down there.
    known = rng.random((200, 5)) < 0.8
    of_known = [roc_auc_score(positive[known[:, k], k], scores[known[:, k], k]) for k in range(4)]
    assert macro_auc(items(scores, positive | ~known, known)) == pytest.approx(np.mean(of_known), abs=1e-9)
    assert accuracy(scores, positive) == pytest.approx(accuracy_score(truth, scores.argmax(axis=1)))
    # Items of two labels or of none have no one class to be right about.
    positive[:50] = False
    positive[50:60] = True
    assert accuracy(scores, positive) == pytest.approx(accuracy_score(truth[60:], scores[60:].argmax(axis=1)))
    assert np.isnan(macro_auc(items(scores, np.zeros((200, 5), dtype=bool))))
    assert np.isnan(accuracy(scores[:, :1], positive[:, :1]))


class Sound:
    """A store whose samples say where they come from: the recording's number and the sample's."""

    def __init__(self, lengths: dict[str, int]) -> None:
        self.lengths = lengths

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.lengths)

    def n_samples(self, key: str) -> int:
        return self.lengths[key]

    def read(self, key: str, start: int, count: int) -> np.ndarray:
        return np.full(count, float(key), np.float32)


def test_ranges_come_from_the_recordings_named_and_no_others() -> None:
    plan = ChunkPlan(rate=1000, hop_samples=10, window_samples=10, core_frames=10, context_frames=0)
    store = Sound({"1": 5000, "2": 5000, "3": 5000, "4": 0})
    drawn = [float(one[0]) for one in training_chunks(store, ["1", "3", "4", "9"], {}, plan, 200, 0)]  # type: ignore[arg-type]
    assert set(drawn) == {1.0, 3.0}
    assert 70 < drawn.count(1.0) < 130
    again = [float(one[0]) for one in training_chunks(store, ["1", "3", "4", "9"], {}, plan, 50, 0)]  # type: ignore[arg-type]
    assert again == drawn[:50]
    with pytest.raises(OssicleError, match="none can be read"):
        list(training_chunks(store, ["4", "9"], {}, plan, 1, 0))  # type: ignore[arg-type]


def test_what_is_judged_is_drawn_with_every_fold_in_it() -> None:
    from ossicle.evaluation.ground_truth import Truth

    ids = tuple(f"{number:03d}" for number in range(40))
    truth = Truth(
        ids=ids,
        labels=("a",),
        recordings={
            key: Recording(key, "r", key, rate=8000, channels=1, n_samples=360 * 8000, digest="") for key in ids
        },
        annotations=tuple(Annotation(key, 0.0, 1.0, "a") for key in ids),
        groups=dict.fromkeys(ids, "g"),
        folds={key: int(key) % 5 for key in ids},
    )
    chosen = held_out.drawn(truth, hours=1.0, seed=0)
    assert 10 <= len(chosen.ids) <= 15
    assert {truth.folds[key] for key in chosen.ids} == set(range(5))
    assert {annotation.recording_id for annotation in chosen.annotations} == set(chosen.ids)
    assert held_out.drawn(truth, hours=100.0, seed=0).ids == ids
    assert held_out.drawn(truth, hours=1.0, seed=1).ids != chosen.ids


def test_a_page_escapes_what_a_project_is_called() -> None:
    result = {
        "bundle": "a|b <i>",
        "machine": {"processor": "p"},
        "threads": 1,
        "versions": {},
        "held_out_hours": 0.0,
        "out_of_fold": {},
        "budget": None,
        "unmeasured": [],
        "rows": [],
    }
    assert "a\\|b &lt;i&gt;" in output_bundle.page(result)
    assert "Nothing was judged out of fold" in output_bundle.page(result)
