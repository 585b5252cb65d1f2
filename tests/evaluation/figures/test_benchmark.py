"""Rows of a decision against the plain functions of ``metrics``, recording by recording."""

import numpy as np
import pytest

from ossicle.core.tracks import ScoreTrack
from ossicle.evaluation.figures.benchmark import ALL, Judging, Tally
from ossicle.inference.decisions.decide import decide
from ossicle.inference.decisions.grid import DecisionGrid, found_by_grid
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import CollarMatch, IouMatch
from ossicle.metrics.ranking import event_average_precision

LABELS = ("a", "b")
CRITERIA = (("iou 0.3", IouMatch(threshold=0.3)), ("collar 0.05 s", CollarMatch(collar_s=0.05)))
IDS = ("x", "y", "z", "empty")
TAPES = ("t1", "t1", "t2", "t3")


def corpus() -> tuple[dict[str, ScoreTrack], dict[str, dict[str, np.ndarray]]]:
    rng = np.random.default_rng(0)
    tracks, references = {}, {}
    for name in IDS:
        scores = np.repeat(rng.random((100, 2)), 4, axis=0).astype(np.float32)
        tracks[name] = ScoreTrack(LABELS, scores, 0.01, 4.0)
        starts = np.sort(rng.choice(90, 12, replace=False)) * 0.04
        times = np.stack([starts, starts + 0.06], axis=1)
        references[name] = {"a": times[:8], "b": times[8:]} if name != "empty" else {}
    return tracks, references


@pytest.mark.parametrize("seconds", [4.0, 0.5], ids=["whole", "known in part"])
def test_every_row_equals_the_plain_evaluation(seconds: float) -> None:
    tracks, references = corpus()
    grid = DecisionGrid(on=(0.3, 0.7), off_ratio=(1.0,), min_length_s=(0.0,), min_gap_s=(0.0,))
    qualities = {
        label: [str(n % 3) for rid in IDS for n in range(len(references[rid].get(label, ())))] for label in LABELS
    }
    judging = Judging(LABELS, CRITERIA, TAPES, np.full(4, seconds), qualities, 50, 0)
    tally = Tally(judging)
    key = {"model": "m", "reading": "own", "window_s": None, "step_s": 0.01, "decision": "grid", "smoothing": "none"}
    key |= {"smoothing_s": 0.0, "off_ratio": 1.0, "min_length_s": 0.0, "min_gap_s": 0.0}
    criteria = [criterion for _, criterion in CRITERIA]
    for decision, found in zip(
        grid.decisions(), found_by_grid(tracks, references, grid, LABELS, criteria), strict=True
    ):
        tally.add({**key, "threshold": decision.on}, found)
    tables = tally.tables("a mark")
    for decision in grid.decisions():
        events = {rid: decide(tracks[rid], dict.fromkeys(LABELS, decision)) for rid in IDS}
        predicted, scored = {}, {}
        for rid, of in events.items():
            predicted[rid] = {
                label: np.array([(event.start_s, event.end_s) for event in of if event.label == label]).reshape(-1, 2)
                for label in LABELS
            }
            scored[rid] = {label: np.array([event.score for event in of if event.label == label]) for label in LABELS}
        for name, criterion in CRITERIA:
            report = evaluate_events(references, predicted, dict.fromkeys(IDS, seconds), LABELS, criterion, None, 0)
            precisions = [
                event_average_precision(
                    {rid: of.get(label, np.zeros((0, 2))) for rid, of in references.items()},
                    {rid: (predicted[rid][label], scored[rid][label]) for rid in IDS},
                    criterion,
                )
                for label in LABELS
            ]
            rows = {
                row["label"]: row
                for row in tables["metrics"].to_dicts()
                if (row["threshold"], row["criterion"]) == (decision.on, name)
            }
            expected = {ALL: report.pooled, **report.per_label}
            assert set(rows) == set(expected)
            for (label, scores), precision in zip(expected.items(), (np.mean(precisions), *precisions), strict=True):
                row = rows[label]
                assert (row["tp"], row["fp"], row["fn"]) == (scores.tp, scores.fp, scores.fn)
                assert row["f1"] == pytest.approx(scores.rates.f1.value, abs=1e-6)
                assert row["false_alarms_per_hour"] == pytest.approx(scores.false_alarms_per_hour, abs=1e-6)
                assert row["average_precision"] == pytest.approx(precision, abs=1e-6)
                assert row["marks"] == "a mark"
            median = (
                tables["boundaries"].filter(threshold=decision.on, criterion=name, boundary="start")["q50_ms"].item()
            )
            assert median == pytest.approx(1000 * report.boundaries.start_s[2], abs=1e-6)
    tapes = tables["per_tape"].filter(threshold=0.3, criterion="iou 0.3", label=ALL)
    total = tables["metrics"].filter(threshold=0.3, criterion="iou 0.3", label=ALL)
    assert tapes["tape"].to_list() == ["t1", "t2", "t3"]
    assert tapes["recall"].to_list()[2] is None
    for name in ("tp", "fp", "fn"):
        assert tapes[name].sum() == total[name].item()
    quality = tables["per_quality"].filter(threshold=0.3, criterion="iou 0.3", label=ALL)
    assert quality["found"].sum() == total["tp"].item()
    assert quality["annotated"].sum() == total["n_reference"].item() == 36
