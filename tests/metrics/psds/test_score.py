"""PSDS against sed_scores_eval (golden figures), against thresholds one by one, and by hand."""

import gzip
import json
import math
import runpy
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.core.errors import UsageError
from ossicle.metrics.frames import FrameScores
from ossicle.metrics.psds.score import Psds, psds
from ossicle.metrics.psds.settings import SCENARIO_1, SCENARIO_2, PsdsSettings

GOLDEN = Path(__file__).parents[2] / "golden"
HOUR = 3600.0


def of_case(case: dict[str, Any], criterion: PsdsSettings, dtype: type = np.float64) -> Psds:
    labels = case["labels"]
    tracks = {
        name: FrameScores(np.array(of["edges_s"]), np.array([of["scores"][one] for one in labels], dtype=dtype).T)
        for name, of in case["recordings"].items()
    }
    references = {
        name: {label: np.array(events) for label, events in of["references"].items() if events}
        for name, of in case["recordings"].items()
    }
    durations = {name: of["duration_s"] for name, of in case["recordings"].items()}
    return psds(tracks.items(), references, durations, labels, [criterion])[0]


def criterion_of(case: dict[str, Any]) -> PsdsSettings:
    return PsdsSettings(**{name: value for name, value in case["criterion"].items() if value is not None})


def by_threshold(case: dict[str, Any], criterion: PsdsSettings) -> tuple[float, dict[str, float]]:
    """The oracle: detections at every score there is, judged one by one as the paper says."""
    recordings = case["recordings"].values()
    seconds = {
        label: sum(end - start for of in recordings for start, end in of["references"][label])
        for label in case["labels"]
    }
    labels = [label for label in case["labels"] if seconds[label]]
    hours = sum(of["duration_s"] for of in recordings) / HOUR
    curves: dict[str, list[tuple[float, float]]] = {}
    for label in labels:
        curves[label] = []
        for threshold in sorted({score for of in recordings for score in of["scores"][label]}):
            result, n_reference, rate = 0, 0, 0.0
            for of in recordings:
                references = of["references"][label]
                relevant, false = [], []
                for run in detections(of["scores"][label], of["edges_s"], threshold):
                    share = sum(shared(run, event) for event in references) / (run[1] - run[0])
                    (relevant if share >= criterion.dtc - 1e-7 else false).append(run)
                rate += len(false) / hours
                for event in references:
                    covered = sum(shared(run, event) for run in relevant)
                    result += covered >= criterion.gtc * (event[1] - event[0]) - 5e-7
                n_reference += len(references)
                for other in labels:
                    for run in false:
                        inside = sum(shared(run, event) for event in of["references"][other])
                        if other != label and inside / (run[1] - run[0]) >= criterion.cttc - 1e-7:
                            rate += criterion.alpha_ct * HOUR / seconds[other] / (len(labels) - 1)
            curves[label].append((rate, result / n_reference))
    top = criterion.max_efpr
    per_label = {label: area([curves[label]], 0.0, top) for label in labels}
    return area(list(curves.values()), criterion.alpha_st, top), per_label


def detections(scores: list[float], edges: list[float], threshold: float) -> list[tuple[float, float]]:
    out, start = [], None
    for edge, score in zip(edges, [*scores, -math.inf], strict=True):
        if score >= threshold and start is None:
            start = edge
        elif score < threshold and start is not None:
            out.append((start, edge))
            start = None
    return out


def shared(a: tuple[float, float], b: tuple[float, float]) -> float:
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


def area(curves: list[list[tuple[float, float]]], alpha_st: float, top: float) -> float:
    corners = sorted({0.0, top, *(rate for curve in curves for rate, _ in curve if rate < top)})
    total = 0.0
    for left, right in pairwise(corners):
        best = [max([0.0, *(share for rate, share in curve if rate <= left)]) for curve in curves]
        total += (right - left) * max(0.0, float(np.mean(best) - alpha_st * np.std(best)))
    return total / top


@pytest.fixture(scope="module")
def golden() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    script = runpy.run_path(str(GOLDEN / "make_sed_scores_eval.py"))
    kept = json.loads(gzip.decompress((GOLDEN / "sed_scores_eval.json.gz").read_bytes()))
    return script, kept["cases"]


def test_equals_sed_scores_eval(golden) -> None:
    script, cases = golden
    wrong = []
    for kept in cases:
        case = script["draw_case"](kept["seed"])
        assert script["input_digest"](case) == kept["inputs"], "NumPy draws other cases: make the golden file again"
        mine = of_case(case, criterion_of(case))
        pairs = [(mine.value, kept["psds"])]
        pairs += [(mine.per_label[label], kept["per_label"].get(label)) for label in case["labels"]]
        for ours, theirs in pairs:
            same = math.isnan(ours) if theirs is None else abs(ours - theirs) < 1e-6
            if not same:
                wrong.append((kept["seed"], ours, theirs))
    assert len(cases) >= 200
    assert wrong == []


def test_equals_thresholds_one_by_one(golden) -> None:
    script, _ = golden
    for seed in range(1000, 1040):
        case = script["draw_case"](seed)
        mine = of_case(case, criterion_of(case))
        value, per_label = by_threshold(case, criterion_of(case)) if mine.rocs else (math.nan, {})
        assert mine.value == pytest.approx(value, abs=1e-9, nan_ok=True), seed
        for label, of in mine.per_label.items():
            assert of == pytest.approx(per_label.get(label, math.nan), abs=1e-9, nan_ok=True), seed


ONE = {"r": {"a": np.array([[2.0, 4.0]])}}
EDGES = np.arange(11.0)


def one_class(*columns: list[float], criterion: PsdsSettings, references: Any = None) -> Psds:
    labels = ["a", "b"][: len(columns)]
    frames = FrameScores(EDGES, np.array(columns, dtype=np.float32).T)
    return psds([("r", frames)], references or ONE, {"r": 10.0}, labels, [criterion])[0]


def test_by_hand() -> None:
    # At 0.9 the reference is found; a false detection comes at 0.8, and one of 10 s is 360 an hour.
    scores = [0.0, 0.0, 0.9, 0.9, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0]
    result = one_class(scores, criterion=PsdsSettings())
    assert (result.value, result.per_label) == (1.0, {"a": 1.0})
    assert (result.rocs["a"].efpr.tolist(), result.rocs["a"].tpr.tolist()) == ([0.0], [1.0])
    np.testing.assert_allclose(result.rocs["a"].thresholds, [0.9], rtol=1e-6)
    # With the scores turned round, the reference is found from 360 an hour on only.
    turned = [0.0, 0.0, 0.8, 0.8, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0]
    assert one_class(turned, criterion=PsdsSettings(max_efpr=720.0)).value == 0.5
    assert one_class(turned, criterion=PsdsSettings(max_efpr=100.0)).value == 0.0


def test_a_cross_trigger_costs() -> None:
    references = {"r": {"a": np.array([[2.0, 4.0]]), "b": np.array([[6.0, 8.0]])}}
    a = [0.0, 0.0, 0.8, 0.8, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0]
    b = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9, 0.9, 0.0, 0.0]
    plain, strict = (
        one_class(a, b, criterion=PsdsSettings(max_efpr=7200.0, alpha_ct=weight), references=references)
        for weight in (0.0, 0.5)
    )
    assert plain.rocs["a"].efpr.tolist() == [360.0]
    # One cross trigger on two seconds of the other class, half of it added.
    assert strict.rocs["a"].efpr.tolist() == [360.0 + 0.5 * 1800.0]
    assert strict.rocs["b"].efpr.tolist() == [0.0]


def test_only_the_order_of_scores_matters(golden) -> None:
    script, _ = golden
    for seed in range(2000, 2010):
        case = script["draw_case"](seed)
        before = of_case(case, SCENARIO_2)
        for of in case["recordings"].values():
            of["scores"] = {label: [math.exp(3 * one) - 7 for one in row] for label, row in of["scores"].items()}
        assert of_case(case, SCENARIO_2).value == pytest.approx(before.value, abs=1e-12, nan_ok=True)


def test_criteria_do_not_touch_each_other(golden) -> None:
    script, _ = golden
    case = script["draw_case"](3)
    labels, recordings = case["labels"], case["recordings"]
    tracks = {
        name: FrameScores(np.array(of["edges_s"]), np.array([of["scores"][one] for one in labels]).T)
        for name, of in recordings.items()
    }
    references = {name: of["references"] for name, of in recordings.items()}
    durations = {name: of["duration_s"] for name, of in recordings.items()}
    both = psds(reversed(tracks.items()), references, durations, labels, [SCENARIO_1, SCENARIO_2])
    alone = [of_case(case, criterion) for criterion in (SCENARIO_1, SCENARIO_2)]
    assert [one.value for one in both] == pytest.approx([one.value for one in alone], abs=1e-12)


def test_labels_without_references_do_not_count() -> None:
    scores = [0.0, 0.0, 0.9, 0.9, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0]
    result = one_class(scores, scores, criterion=SCENARIO_2)
    assert result.value == result.per_label["a"] == 1.0
    assert math.isnan(result.per_label["b"])
    nothing = one_class(scores, criterion=SCENARIO_1, references={"r": {}})
    assert math.isnan(nothing.value)
    assert nothing.rocs == {}


def test_labels_that_are_left_out_have_no_figure_and_no_part_in_the_mean() -> None:
    scores = [0.0, 0.0, 0.9, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    references = {"r": {"a": np.array([[2.0, 4.0], [6.0, 8.0]]), "b": np.array([[0.0, 10.0]])}}
    result = one_class(scores, scores, criterion=PsdsSettings(dtc=0.7, gtc=0.7, alpha_st=0.0), references=references)
    assert result.value == 0.75
    left = result.without(["b", "c"])
    assert (left.value, left.per_label["a"], set(left.rocs)) == (0.5, 0.5, {"a"})
    assert math.isnan(left.per_label["b"])
    assert math.isnan(left.without(["a"]).value)
    assert result.without([]) is result


def test_what_cannot_be_found() -> None:
    scores = [0.9] * 10
    instant = {"r": {"a": np.array([[3.0, 3.0], [0.0, 10.0]])}}
    assert one_class(scores, criterion=SCENARIO_1, references=instant).value == 0.5
    behind = {"r": {"a": np.array([[20.0, 30.0], [0.0, 10.0]])}}
    assert one_class(scores, criterion=SCENARIO_1, references=behind).value == 0.5


def test_half_a_microsecond_is_met() -> None:
    scores = [0.0, 0.0, 0.9, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    late = {"r": {"a": np.array([[2.0 + 4e-7, 4.0]])}}
    assert one_class(scores, criterion=PsdsSettings(dtc=1.0, gtc=1.0), references=late).value == 1.0
    later = {"r": {"a": np.array([[2.0 + 6e-7, 4.0]])}}
    assert one_class(scores, criterion=PsdsSettings(dtc=1.0, gtc=1.0), references=later).value == 0.0


def test_what_does_not_fit_is_refused() -> None:
    frames = FrameScores(EDGES, np.zeros((10, 1)))
    wrong: list[tuple[Any, Any, Any, Any, str]] = [
        ([("r", frames), ("r", frames)], ONE, {"r": 10.0}, ["a"], "scores twice"),
        ([("s", frames)], {}, {"r": 10.0}, ["a"], "scores but no duration"),
        ([], ONE, {"r": 10.0}, ["a"], "no scores of r"),
        ([("r", frames)], ONE, {"r": 10.0}, ["b"], "label 'a', which is not among the scored"),
        ([("r", frames)], ONE, {}, ["a"], "references but no duration"),
        ([("r", frames)], ONE, {"r": 10.0}, ["a", "a"], "occurs twice"),
        ([("r", frames)], ONE, {"r": 0.0}, ["a"], "total duration of the evaluated recordings is 0 s"),
    ]
    for tracks, references, durations, labels, words in wrong:
        with pytest.raises(UsageError, match=words):
            psds(tracks, references, durations, labels, [SCENARIO_1])
    with pytest.raises(ValueError, match="1 columns of scores, 2 labels"):
        psds([("r", frames)], ONE, {"r": 10.0}, ["a", "b"], [SCENARIO_1])


def test_fifty_thresholds_miss_what_all_thresholds_find(golden) -> None:
    """A PSDS of few thresholds (no spread taken off) never exceeds the exact one, and comes to it as they grow."""
    script, _ = golden
    criterion = PsdsSettings(max_efpr=1e4)
    for seed in range(3000, 3006):
        case = script["draw_case"](seed)
        exact = of_case(case, criterion).value
        values = []
        for n in (5, 50, 500, 5_000_000):
            coarse = {name: dict(of) for name, of in case["recordings"].items()}
            for of in coarse.values():
                of["scores"] = {label: [math.floor(one * n) / n for one in row] for label, row in of["scores"].items()}
            values.append(of_case({**case, "recordings": coarse}, criterion).value)
        if not math.isnan(exact):
            assert max(values) <= exact + 1e-12
            assert values[-1] == pytest.approx(exact, abs=1e-12)
