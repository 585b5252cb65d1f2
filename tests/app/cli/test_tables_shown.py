"""What a run prints of its figures stays readable however many labels and groups there are."""

from typing import Any

import numpy as np
import pytest

from ossicle.app.cli.compare.score import _print_report
from ossicle.app.cli.compare.score_scores import _print
from ossicle.app.cli.tables.clip_table import clip_remarks, clip_rows
from ossicle.app.cli.tables.health_table import show_gates, show_manifest, show_report
from ossicle.app.cli.tables.table import print_metrics
from ossicle.metrics.events import evaluate_events
from ossicle.metrics.matching.rules import IouMatch
from ossicle.metrics.psds.settings import PRESETS


def scores(n: int) -> dict[str, Any]:
    one = {"value": 0.5, "low": None, "high": None}
    return {"events": {"f1": one, "precision": one, "recall": one}, "n_reference": n, "n_predicted": n}


def printed(
    per_group: dict[str, Any], capsys: pytest.CaptureFixture[str], per_label: dict[str, Any] | None = None
) -> str:
    metrics = {
        **scores(9),
        "per_label": per_label or {},
        "macro": {**scores(9)["events"], "labels": {"f1": 9, "precision": 9, "recall": 9, "all": 9}},
        "per_group": per_group,
        "in_sample": scores(9),
        "few_groups": False,
        "protocol": {"criterion": "iou", "decision": "d"},
    }
    print_metrics(metrics)
    return capsys.readouterr().out


def group(f1: float, n: int) -> dict[str, Any]:
    figure = {"value": f1, "low": None, "high": None}
    return {"f1": figure, "precision": figure, "recall": figure, "n_reference": n, "n_predicted": n}


def test_a_few_groups_are_all_printed(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed({f"g{number}": group(0.5, 1) for number in range(20)}, capsys)
    assert out.count("group g") == 20
    assert "metrics.json" not in out


def test_of_many_groups_the_worst_are_printed_that_are_large_enough(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed({f"g{n:05d}": group(1 - n / 30_000, 5 if n % 2 else 4) for n in range(30_000)}, capsys)
    assert [line.split()[1] for line in out.splitlines() if "group g" in line] == [
        f"g{number:05d}" for number in range(29_999, 29_959, -2)
    ]
    assert "of 30000 groups, the 20 with the lowest F1 and 5 annotations or more; metrics.json lists all" in out


def test_groups_of_a_recording_each_are_only_counted(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed({f"g{number}": group(1.0, 1) for number in range(300)}, capsys)
    assert "group g" not in out
    assert "not shown: 300 groups with fewer than 5 annotations each; metrics.json lists all" in out


def test_of_many_labels_the_worst_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed({}, capsys, {f"l{n:04d}": group(1 - n / 1000, 5) for n in range(1000)})
    assert [line.split()[1] for line in out.splitlines() if "label l" in line] == [
        f"l{number:04d}" for number in range(999, 979, -1)
    ]
    assert "shown: of 1000 labels, the 20 with the lowest F1 and 5 annotations or more; metrics.json lists all" in out


def test_a_few_labels_are_all_printed(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed({}, capsys, {f"l{number}": group(0.5, 1) for number in range(20)})
    assert out.count("label l") == 20
    assert "shown:" not in out


def test_of_many_labels_of_clips_the_worst_are_printed() -> None:
    figure = {"value": 0.5, "low": None, "high": None}
    names = [f"l{n:04d}" for n in range(1000)]
    clips = {
        **dict.fromkeys(("macro_f1", "macro_recall", "weighted_f1", "accuracy", "loss"), figure),
        "f1": {name: {**figure, "value": 1 - n / 1000} for n, name in enumerate(names)},
        "precision": dict.fromkeys(names, figure),
        "recall": dict.fromkeys(names, figure),
        "support": dict.fromkeys(names, 9),
        "n": 9,
        "n_recordings": 9,
        "n_groups": 3,
        "protocol": "p",
        "few_groups": False,
        "never_named": names[:500],
        "absent": [],
    }
    _, rows = clip_rows(clips)
    assert [row[0] for row in rows[2:]] == [f"label {name}" for name in names[:-21:-1]]
    remarks = clip_remarks(clips)
    assert remarks[0] == "shown: of 1000 labels, the 20 with the lowest F1; metrics.json lists all"
    assert remarks[-1].endswith("l0019 and 480 more")


MANY = [f"l{n:04d}" for n in range(1000)]
EVENTS = {
    "sources": {}, "dynamics": {}, "techniques": {}, "bleed": {}, "mix": {}, "openness": [], "loudness_unit": "dBFS",
    "loudness": None, "peaks": None, "durations": None, "events": 1, "recordings": 1, "hours": 0.5, "sessions": None,
    "drummers": None, "kits": None, "negatives": None, "without_label": 0, "unknown_labels": ["l0003"],
}  # fmt: skip


def labels_in(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines() if line.strip().startswith("l0")]


def test_score_prints_the_worst_of_many_labels(capsys: pytest.CaptureFixture[str]) -> None:
    times = np.array([[float(n), n + 0.5] for n in range(5)])
    found = {label: times[: 1 + n % 5] if n < 20 else times for n, label in enumerate(MANY[:100])}
    events = ({"a": dict.fromkeys(MANY[:100], times)}, {"a": found}, {"a": 10.0}, MANY[:100])
    _print_report(evaluate_events(*events, IouMatch(threshold=0.5), n_bootstrap=0), timed=True)
    out = capsys.readouterr().out
    assert len(labels_in(out)) == 20
    assert labels_in(out)[:4] == ["l0000", "l0005", "l0010", "l0015"]
    assert "shown: of 100 labels, the 20 with the lowest F1 and 5 annotations or more; --json lists all" in out


def test_score_of_scores_prints_the_worst_of_many_labels(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"average_precision": 0.5, "roc_auc": 0.5, "ece": None, "brier": None}
    per_label = {label: {**figures, "average_precision": 1 - n / 1000} for n, label in enumerate(MANY)}
    psds = {name: {"value": 0.5, "per_label": dict.fromkeys(MANY, 0.5)} for name in PRESETS}
    _print({"psds": psds, "frames": {**figures, "per_label": per_label, "reliability": []}})
    out = capsys.readouterr().out
    assert labels_in(out) == MANY[:-21:-1]
    assert "shown: of 1000 labels, the 20 with the lowest AP; --json lists all" in out


def test_health_prints_the_smallest_of_many_labels_and_some_problems_of_a_kind(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = {"groups": 1, "min_s": None, "median_s": None, "max_s": None, "short_gap_share": None}
    rows = [{**row, "label": label, "annotations": 1000 - n} for n, label in enumerate(MANY)]
    problem = {"severity": "warning", "code": "few", "message": "m", "remedy": "r"}
    problems = [{**problem, "where": label} for label in MANY]
    counts = {"recordings": 1, "hours": 0.5, "groups": 1, "annotations": 9, "left_out": []}
    show_report({**counts, "by_label": rows, "problems": problems, "events": EVENTS})
    out = capsys.readouterr().out
    assert out.startswith("1 recording, 0.50 h, 1 group, 9 annotations, 0 files skipped")
    assert sorted(labels_in(out)) == MANY[-20:]
    assert "shown: of 1000 labels, the 20 with the fewest annotations; --json lists all" in out
    assert out.count("  warning") == 21
    assert "980 more problems of this kind; --json lists them" in out


def test_health_of_a_manifest_prints_the_smallest_of_many_labels(capsys: pytest.CaptureFixture[str]) -> None:
    classes = {label: {"total": n, "real": n, "synthetic": 0} for n, label in enumerate(MANY)}
    techniques = {f"t{n}": n for n in range(1000)}
    events = {**EVENTS, "classes": classes, "techniques": techniques}
    show_manifest({"events": events, "manifest": "m", "bad_lines": {"count": 0, "first": []}, "limits": "none"})
    out = capsys.readouterr().out
    assert labels_in(out) == MANY[:20]
    assert "1 event of 1 recording," in out
    assert "shown: of 1000 labels, the 20 with the fewest events; --json lists all" in out
    assert "and 980 more" in out


def test_health_prints_the_labels_that_lost_most_events(capsys: pytest.CaptureFixture[str]) -> None:
    changes = [{"label": label, "before": 1000, "now": n} for n, label in enumerate(MANY)]
    comparison = {"classes": changes, "newly_failed": [], "mended": [], "gone": []}
    show_gates({"totals": [], "comparison": comparison, "gates": []})
    out = capsys.readouterr().out
    assert labels_in(out) == MANY[:20]
    assert "shown: of 1000 labels, the 20 that lost most events; --json lists all" in out
