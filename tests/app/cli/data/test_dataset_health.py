"""``ossicle dataset health`` of a project: gates, comparison, page and exit codes; what it printed before stays."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ossicle.audio.wav import write_wav
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven

from ...conftest import Commands, Said

RATE = 8000
PROJECT = """
base = "recipe:tapes"
[corpus]
audio = "audio"
annotations = "tables"
[frontend]
rate = 8000
fmax_hz = 4000.0
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A project of two recordings with four calls and one song."""
    (tmp_path / "audio").mkdir()
    for seed, name in enumerate(("siteA_1", "siteB_1")):
        noise = np.random.default_rng(seed).normal(0, 0.05, 3 * RATE).astype(np.float32)
        write_wav(tmp_path / "audio" / f"{name}.wav", noise, RATE)
        rows = [RawSelection(float(start), start + 0.5, "call", 500.0, 3000.0) for start in (0.5, 1.5)]
        rows += [RawSelection(1.5, 2.0, "song", 500.0, 3000.0)] * (1 - seed)
        write_raven(tmp_path / "tables" / f"{name}.Table.1.selections.txt", rows)
    (tmp_path / "ossicle.toml").write_text(PROJECT, encoding="utf-8")
    return tmp_path


def health(ossicle: Commands, place: Path, *more: object) -> Said:
    return ossicle("dataset", "health", "-p", place, "--progress", "none", *more)


def test_without_limits_it_says_what_it_said(place: Path, ossicle: Commands) -> None:
    result = health(ossicle, place)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("2 recordings, 0.00 h, 2 groups, 5 annotations, 0 files skipped\n")
    rows = [line.split() for line in result.out.splitlines()]
    assert ["call", "4", "2", "0.500", "s", "0.500", "s", "0.500", "s", "0", "%"] in rows
    assert [row[1] for row in rows if row[:1] == ["passed"]] == ["repeated_events", "repeated_audio"]


FAILING: Sequence[tuple[str, str, str]] = (
    ("health.class_minimums={crash = 200}", "class_minimum", "'crash' is absent, needs 200"),
    ("health.class_min=2", "class_minimum", "'song' has 1, needs 2"),
    ('health.labels=["call"]', "unknown_labels", "'song' (1 events) is not in labels"),
    ('health.required_labels=["grunt"]', "required_labels", "label 'grunt' is absent"),
    ("health.max_quiet=0.5 health.quiet_db=-20", "quiet", "2 of 2 sounds are below -20 dB"),
    ("health.longest_s=0.4", "durations", "5 of 5 events are shorter than 0 s or longer than 0.4 s"),
    ("health.max_overlap=0.1", "overlap", "2 of 5 events start within 30 ms of one with another label"),
)


@pytest.mark.parametrize(("limits", "gate", "reason"), FAILING)
def test_a_failed_gate_ends_with_4_and_its_reason(
    place: Path, ossicle: Commands, limits: str, gate: str, reason: str
) -> None:
    keys = limits.split(" health.")
    sets = [word for key in (keys[0], *(f"health.{key}" for key in keys[1:])) for word in ("--set", key)]
    result = health(ossicle, place, *sets)
    assert result.code == 4
    assert f"1 health gate failed ([health] sets the limits):\n  {gate}: {reason}" in result.err
    assert ["FAILED", gate] in [line.split()[:2] for line in result.out.splitlines()]


def test_a_misspelt_limit_is_refused_with_the_nearest_name(place: Path, ossicle: Commands) -> None:
    result = health(ossicle, place, "--set", "health.class_minimum=2")
    assert result.code == 2
    assert "class_min" in result.err


@pytest.mark.parametrize("taxonomy", ['{classes = [{id = "call"}]}', "[1, 2]", "3", '[{id = "call"}]'])
def test_labels_of_another_shape_are_refused_and_not_taken_for_none(
    place: Path, ossicle: Commands, taxonomy: str
) -> None:
    result = health(ossicle, place, "--set", f"health.labels={taxonomy}")
    assert result.code == 2
    assert "[health" in result.err
    assert "labels" in result.err


@pytest.mark.parametrize("option", [("--manifest-total", 5), ("--skip-bad",)])
def test_options_of_a_manifest_are_refused_without_one(
    place: Path, ossicle: Commands, option: tuple[object, ...]
) -> None:
    result = health(ossicle, place, *option)
    assert result.code == 2
    assert "are about a manifest" in result.err


def test_json_holds_what_it_held_and_the_gates(place: Path, ossicle: Commands) -> None:
    result = health(ossicle, place, "--json")
    content = json.loads(result.out)
    assert (content["recordings"], content["annotations"], content["by_label"][0]["label"]) == (2, 5, "call")
    assert content["events"]["classes"]["call"] == {"total": 4, "real": None, "synthetic": None}
    assert content["events"]["loudness_unit"] == "dBFS"
    assert [gate["name"] for gate in content["gates"]] == ["repeated_events", "repeated_audio"]
    assert (content["passed"], content["comparison"]) == (True, None)


def test_an_earlier_report_is_compared(place: Path, ossicle: Commands) -> None:
    old = place / "old.json"
    old.write_text(health(ossicle, place, "--json").out, encoding="utf-8")
    assert health(ossicle, place, "--compare", old).code == 0
    content = json.loads(old.read_text())
    content["events"]["classes"]["song"]["total"] = 3
    old.write_text(json.dumps(content), encoding="utf-8")
    result = health(ossicle, place, "--compare", old)
    assert result.code == 4
    assert "compared_classes: 'song' shrank from 3 to 1 events" in result.err
    assert ["song", "3", "1"] in [line.split() for line in result.out.splitlines()]
    assert health(ossicle, place, "--compare", old, "--set", "health.max_class_drop=0.7").code == 0


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '{"events": 3}', '{"a": NaN}', "9" * 5000])
def test_what_is_no_report_is_refused(place: Path, ossicle: Commands, text: str) -> None:
    (place / "old.json").write_text(text, encoding="utf-8")
    result = health(ossicle, place, "--compare", place / "old.json")
    assert result.code == 2
    assert "old.json" in result.err
    assert "ossicle dataset health --json" in result.err


def test_a_missing_report_is_named(place: Path, ossicle: Commands) -> None:
    result = health(ossicle, place, "--compare", place / "none.json")
    assert result.code == 2
    assert "none.json: there is no such file" in result.err


def test_the_page_is_written_even_where_a_gate_fails(place: Path, ossicle: Commands) -> None:
    page = place / "health.html"
    assert health(ossicle, place, "--html", page, "--set", "health.class_min=2").code == 4
    text = page.read_text(encoding="utf-8")
    assert "class_minimum failed:" in text
    assert "&#39;song&#39; has 1, needs 2" in text
    result = health(ossicle, place, "--html", place / "health.txt")
    assert (result.code, (place / "health.txt").exists()) == (2, False)


def test_the_dataset_is_compared_with_the_annotations(place: Path, ossicle: Commands) -> None:
    quality = ("--set", "dataset.quality_max=1", "--set", "health.max_left_out=0.1")
    assert ossicle("run", "-p", place, "--until", "dataset", "--progress", "none").code == 0
    result = health(ossicle, place)
    assert "5 of 5 annotations are targets of the dataset" in result.out
    assert [line for line in result.out.splitlines() if " dataset " in line and "passed" in line] == []
    judged = health(ossicle, place, "--set", "health.max_left_out=0")
    assert [line.split()[:2] for line in judged.out.splitlines() if "targets" in line][-1] == ["passed", "dataset"]
    # Without a dataset of these settings there is nothing to compare.
    assert "targets of the dataset" not in health(ossicle, place, *quality).out
