"""Evaluation gives the figures of `ossicle score`, from files and from values alike."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.api.annotations import Annotations, read_annotations, write_annotations
from ossicle.app.api.bundles.loaded_bundle import load_bundle
from ossicle.app.api.evaluation.event_evaluation import evaluate
from ossicle.core.errors import UsageError
from ossicle.core.records import Annotation

from ...conftest import Commands

TRUTH = Annotations(
    [Annotation(f"{name}.wav", start, start + 1.0, label) for name in "ab" for start, label in ((1, "x"), (5, "y"))],
    recordings=["quiet.wav"],
)
FOUND = Annotations(
    [
        Annotation("a.wav", 1.1, 2.1, "x"),
        Annotation("a.wav", 5.0, 6.0, "x"),
        Annotation("b.wav", 5.2, 6.0, "y"),
        Annotation("quiet.wav", 0.0, 1.0, "x"),
        Annotation("strange.wav", 0.0, 1.0, "x"),
    ]
)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ()),
        ({"iou": 0.8}, ("--iou", 0.8)),
        ({"collar_s": 0.15}, ("--collar", 0.15)),
        ({"iou": 0.3, "collar_s": 0.15, "bootstrap": 0}, ("--iou", 0.3, "--collar", 0.15, "--bootstrap", 0)),
        ({"ignore_labels": True}, ("--ignore-labels",)),
    ],
)
def test_figures_are_those_of_the_command(
    options: dict[str, Any], words: tuple[object, ...], tmp_path: Path, ossicle: Commands
) -> None:
    write_annotations(TRUTH, tmp_path / "truth.csv")
    write_annotations(FOUND, tmp_path / "found.csv")
    places = ("--reference", tmp_path / "truth.csv", "--predictions", tmp_path / "found.csv")
    result = ossicle("score", *places, *words, "--json")
    assert result.code == 0, result.err
    content = json.loads(result.out)
    assert evaluate(TRUTH, FOUND, **options).to_json() == content
    assert evaluate(tmp_path / "truth.csv", str(tmp_path / "found.csv"), **options).to_json() == content
    assert evaluate(list(TRUTH), tmp_path / "found.csv", **options).left_out == ("quiet", "strange")


def test_figures_are_values() -> None:
    evaluation = evaluate(TRUTH, FOUND, durations_s={"a.wav": 60.0, "b.wav": 60.0, "quiet.wav": 60.0})
    assert (evaluation.precision.value, evaluation.recall.value) == (0.5, 0.5)
    assert evaluation.f1.low <= evaluation.f1.value <= evaluation.f1.high
    assert evaluation.per_label["y"].tp == 1
    assert evaluation.report.pooled.false_alarms_per_hour == pytest.approx(40.0)
    assert evaluation.left_out == ("strange",)
    assert math.isnan(evaluate(Annotations([], ["a.wav"]), Annotations([], ["a.wav"])).f1.value)


def test_predictions_are_judged_as_they_are(old_bundle: Path, audio: Path, tmp_path: Path) -> None:
    predictions = load_bundle(old_bundle).predict(audio)
    written = predictions.to_csv(tmp_path / "found.csv")
    itself = evaluate(written[0], predictions)
    assert (itself.f1.value, itself.left_out) == (1.0, ())
    assert evaluate(read_annotations(written[0]), predictions).to_json() == itself.to_json()


def test_refusals() -> None:
    with pytest.raises(UsageError, match="predictions and reference have no recording name in common"):
        evaluate(TRUTH, [Annotation("c.wav", 0.0, 1.0, "x")])
    with pytest.raises(UsageError, match="durations_s: has no duration of b, quiet; add one for each"):
        evaluate(TRUTH, FOUND, durations_s={"a.wav": 60.0})
    with pytest.raises(ValueError, match="threshold"):
        evaluate(TRUTH, FOUND, iou=1.5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"iou": "x"}, "iou = 'x' is not a finite number"),
        ({"collar_s": math.inf}, "collar_s = inf is not a finite number"),
        ({"bootstrap": -5}, "bootstrap = -5 must be at least 0"),
        ({"bootstrap": 1.5}, "bootstrap = 1.5 is not a whole number"),
        ({"durations_s": {"a": -1.0, "b": 9.0}}, "the duration of a = -1.0 must be at least 0"),
        ({"durations_s": {"a": math.nan}}, "the duration of a = nan is not a finite number"),
        ({"durations_s": {"a": "long"}}, "the duration of a = 'long' is not a finite number"),
        ({"durations_s": {3: 1.0}}, "a name = 3 is not a text"),
    ],
)
def test_impossible_numbers_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        evaluate(TRUTH, FOUND, **options)


def test_two_durations_of_a_recording_are_refused() -> None:
    same = dict.fromkeys(("a", "a.wav", "b", "quiet"), 10.0)
    assert evaluate(TRUTH, FOUND, durations_s=same, bootstrap=0).timed
    with pytest.raises(UsageError, match="two durations of a: 10 and 20 s; keep one"):
        evaluate(TRUTH, FOUND, durations_s={**same, "a.wav": 20.0})
