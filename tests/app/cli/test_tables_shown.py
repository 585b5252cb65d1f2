"""What a run prints of its figures stays readable however many groups there are."""

from typing import Any

import pytest

from ossicle.app.cli.tables.table import print_metrics


def scores(n: int) -> dict[str, Any]:
    one = {"value": 0.5, "low": None, "high": None}
    return {"events": {"f1": one, "precision": one, "recall": one}, "n_reference": n, "n_predicted": n}


def printed(per_group: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    metrics = {
        **scores(9),
        "per_label": {},
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
