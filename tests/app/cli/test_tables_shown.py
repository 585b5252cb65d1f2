"""What a run prints of its figures stays readable however many labels and groups there are."""

from typing import Any

import pytest

from ossicle.app.cli.tables.clip_table import clip_remarks, clip_rows
from ossicle.app.cli.tables.table import print_metrics


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
