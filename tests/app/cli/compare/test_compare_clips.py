"""Two runs on the same clips, through the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from ossicle.app.cli.main import app
from ossicle.artefacts.typed.clip_results import ClipResults
from ossicle.core.errors import UsageError

LABELS = ("kick", "ride_bell", "ride_bow", "snare")


def run_of(place: Path, wrong: dict[int, str], n: int = 80, first: int = 0) -> Path:
    """A run whose answers are right except for those of ``wrong``."""
    rows = np.arange(first, first + n)
    label = [LABELS[row % 4] for row in rows]
    answer = [wrong.get(int(row), of) for row, of in zip(rows, label, strict=True)]
    table = {
        "recording_id": [f"r{row // 4:03d}" for row in rows],
        "recording": [f"{row // 4}.wav" for row in rows],
        "group": [f"machine {row // 4 % 10}" for row in rows],
        "fold": rows // 4 % 2,
        "onset_s": 0.25 * (rows % 4),
        "label": label,
        "answer": answer,
        "confidence": np.full(n, 0.9),
        "loss": np.array([0.1 if a == b else 2.0 for a, b in zip(label, answer, strict=True)]),
    }
    ClipResults(place / "clip_results").write_answers(pl.DataFrame(table))
    return place


def said(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["compare-clips", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Eight of twenty kicks taken for rides, then two of them."""
    kicks = [4 * k for k in range(20)]
    before = {row: LABELS[1 + k % 2] for k, row in enumerate(kicks[:8])}
    after = dict.fromkeys(kicks[:2], "ride_bell") | {3: "kick"}
    return run_of(tmp_path / "before", before), run_of(tmp_path / "after", after)


def values(*words: object) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(said(*words, "--json"))
    return content


def test_the_difference_of_figures_and_of_named_confusions_has_paired_intervals(runs: tuple[Path, Path]) -> None:
    result = values(*runs, "--pair", "kick > ride*", "--pair", "snare > kick")
    assert result["clips"] == 80
    assert result["difference"]["accuracy"]["value"] == pytest.approx((8 - 3) / 80)
    assert result["difference"]["loss"]["value"] == pytest.approx(-5 * 1.9 / 80)
    kicks, snares = result["pairs"]
    assert (kicks["clips"], kicks["before"], kicks["after"]) == (20, 0.4, 0.1)
    assert kicks["difference"]["value"] == pytest.approx(-0.3)
    assert kicks["difference"]["low"] < -0.3 < kicks["difference"]["high"] < 0
    assert (snares["before"], snares["after"]) == (0.0, 0.05)
    assert [one["pair"] for one in result["most_changed"]] == ["kick > ride_bow", "kick > ride_bell", "snare > kick"]
    assert result["confusion"]["difference"] == [[6, -2, -4, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, -1]]


def test_the_table_shows_both_and_the_files_hold_the_same(runs: tuple[Path, Path], tmp_path: Path) -> None:
    out = said(*runs, "--pair", "kick > ride*", "-o", tmp_path / "out")
    for part in ("80 clips", "macro F1", "F1 ride_bow", "kick > ride*", "second minus first", "-0.300"):
        assert part in out
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == values(*runs, "--pair", "kick > ride*")
    assert (tmp_path / "out" / "confusion_difference.svg").read_text().startswith("<svg")


def test_clips_of_one_run_alone_are_left_out_and_counted(runs: tuple[Path, Path], tmp_path: Path) -> None:
    other = run_of(tmp_path / "other", {}, n=90, first=10)
    result = values(runs[0], other)
    assert (result["clips"], result["only_first"], result["only_second"]) == (70, 10, 20)
    assert "left out: 20 clips that only the second run judged" in said(runs[0], other)


def test_a_run_differs_from_itself_in_nothing(runs: tuple[Path, Path]) -> None:
    result = values(runs[0], runs[0] / "clip_results" / "answers.parquet")
    assert result["difference"]["macro_f1"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert result["most_changed"] == []


@pytest.mark.parametrize(
    ("pair", "message"),
    [("kick", "is not a confusion"), ("kick > cymbal*", "no label is 'cymbal*'; labels: kick, ride_bell")],
)
def test_pairs_that_name_nothing_are_refused(runs: tuple[Path, Path], pair: str, message: str) -> None:
    done = CliRunner().invoke(app, ["compare-clips", *map(str, runs), "--pair", pair])
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


def test_runs_without_answers_or_common_clips_say_what_to_do(runs: tuple[Path, Path], tmp_path: Path) -> None:
    far = run_of(tmp_path / "far", {}, first=800)
    for other, message in ((tmp_path, "there are no answers to clips"), (far, "judged no common clip")):
        done = CliRunner().invoke(app, ["compare-clips", str(runs[0]), str(other)])
        assert message in str(done.exception)


def test_files_of_the_user_stay_and_written_ones_are_replaced(runs: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "comparison.json").write_text("mine")
    with pytest.raises(UsageError, match=r"comparison\.json would be overwritten"):
        CliRunner().invoke(app, ["compare-clips", *map(str, runs), "-o", str(out)], catch_exceptions=False)
    assert [path.read_text() for path in out.iterdir()] == ["mine"]
    (out / "comparison.json").unlink()
    for _ in range(2):
        said(*runs, "-o", out)
