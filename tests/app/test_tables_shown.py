"""What a run prints of its figures stays readable however many groups there are."""

from typing import Any

import pytest

from ossicle.app.cli.table import print_metrics


def scores(n: int) -> dict[str, Any]:
    one = {"value": 0.5, "low": None, "high": None}
    return {"events": {"f1": one, "precision": one, "recall": one}, "n_reference": n, "n_predicted": n}


@pytest.mark.parametrize(("groups", "shown"), [(3, 3), (60, 60), (30_000, 60)])
def test_the_first_of_many_groups_are_printed(groups: int, shown: int, capsys: pytest.CaptureFixture[str]) -> None:
    flat = {key: scores(1)["events"][key] for key in ("f1", "precision", "recall")}
    per_group = {f"g{number:05d}": {**flat, "n_reference": 1, "n_predicted": 1} for number in range(groups)}
    protocol = {"criterion": "iou", "decision": "d"}
    metrics = {
        **scores(9), "per_label": {}, "per_group": per_group, "in_sample": scores(9), "few_groups": False,
        "protocol": protocol,
    }  # fmt: skip
    print_metrics(metrics)
    out = capsys.readouterr().out
    assert out.count("group g") == shown
    assert (f"the first 60 of {groups} groups; all of them are in metrics.json" in out) == (groups > 60)
