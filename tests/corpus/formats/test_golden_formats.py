"""opensoundscape and sed_scores_eval, which cannot be installed here, through files (tests/golden/make_formats.py)."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.dcase import write_dcase, write_durations
from ossicle.corpus.formats.event_csv import read_events
from ossicle.corpus.formats.event_table import EventTable
from ossicle.corpus.formats.raven import write_raven
from ossicle.corpus.formats.window_tables.score_tables import (
    Windows,
    read_dcase_scores,
    read_opensoundscape,
    write_dcase_scores,
    write_opensoundscape,
)
from ossicle.corpus.formats.window_tables.window_labels import WindowPlan, to_windows

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "formats"

# Those of make_formats.py.
EVENTS = (
    RawSelection(0.5, 1.25, "wren", 1000.0, 4000.0, begin_path="a.wav"),
    RawSelection(2.75, 3.4, "ünï call", begin_path="a.wav"),
    RawSelection(1.0, 7.5, "wren", 500.0, 2500.5, begin_path="b/b.wav"),
)
DURATIONS = {"a.wav": 7.0, "b/b.wav": 8.0}
TABLE = EventTable(EVENTS, tuple(DURATIONS), durations_s=DURATIONS)
SCORES = np.array([[0.1, 0.9], [0.25, 1e-7], [1 / 3, 0.5]])
EDGES = np.array([0.0, 0.02, 0.04, 0.06])


def understood(name: str) -> Any:
    return json.loads((GOLDEN / f"read_{name}.json").read_text(encoding="utf-8"))


def write_ours(folder: Path) -> None:
    """What make_formats.py lets the other programs read."""
    plan = WindowPlan(3.0, 1.5, 0.25)
    write_opensoundscape(folder / "ours_windows.csv", to_windows(TABLE, plan).table)
    write_raven(folder / "ours_raven.txt", EVENTS[:2], audio_name="a.wav")
    write_dcase(folder / "ours_dcase.tsv", EVENTS, files=["a.wav", "empty.wav"])
    write_durations(folder / "ours_durations.tsv", {**DURATIONS, "empty.wav": 1.5})
    write_dcase_scores(
        folder / "ours_scores.tsv", ("wren", "ünï call"), Windows(np.stack([EDGES[:-1], EDGES[1:]], axis=1), SCORES)
    )


def test_we_still_write_what_the_others_read(tmp_path: Path) -> None:
    write_ours(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (GOLDEN / path.name).read_bytes(), path.name
    assert len(list(tmp_path.iterdir())) == 5


def test_opensoundscape_reads_our_windows_and_boxes() -> None:
    result = understood("opensoundscape")
    ours = to_windows(TABLE, WindowPlan(3.0, 1.5, 0.25)).table
    expected = [
        [file, start, end, dict(zip(ours.labels, values, strict=True))]
        for file, windows in sorted(ours.files.items())
        for (start, end), values in zip(windows.times_s.tolist(), windows.values.tolist(), strict=True)
    ]
    assert result["windows"] == expected
    assert result["raven"] == [[0.5, 1.25, "wren", 1000.0, 4000.0], [2.75, 3.4, "ünï call", 0.0, 8000.0]]


def test_opensoundscape_labels_the_same_windows() -> None:
    theirs = read_opensoundscape(GOLDEN / "opensoundscape_windows.csv")
    ours = to_windows(TABLE, WindowPlan(3.0, 1.5, 0.25)).table
    assert theirs.binary
    assert set(theirs.labels) == set(ours.labels)
    order = [theirs.labels.index(label) for label in ours.labels]
    for file, windows in ours.files.items():
        assert np.array_equal(theirs.files[file].times_s, windows.times_s)
        assert np.array_equal(theirs.files[file].values[:, order], windows.values)


def test_we_read_opensoundscapes_boxes() -> None:
    assert read_events(GOLDEN / "opensoundscape_boxes.csv").rows == EVENTS


def test_sed_scores_eval_reads_our_tables() -> None:
    result = understood("sed_scores_eval")
    assert result["events"] == {
        "a": [[0.5, 1.25, "wren"], [2.75, 3.4, "ünï call"]],
        "b/b": [[1.0, 7.5, "wren"]],
        "empty": [],
    }
    assert result["durations"] == {"a": 7.0, "b/b": 8.0, "empty": 1.5}
    assert result["scores"]["columns"] == ["onset", "offset", "wren", "ünï call"]
    assert np.array_equal(np.array(result["scores"]["rows"])[:, 2:], SCORES)


def test_we_read_sed_scores_evals_scores() -> None:
    table = read_dcase_scores(GOLDEN / "sed_scores_eval_scores.tsv", "a")
    assert table.labels == ("wren", "ünï call")
    assert np.array_equal(table.files["a"].values, SCORES)
    assert np.array_equal(table.files["a"].times_s, np.stack([EDGES[:-1], EDGES[1:]], axis=1))
