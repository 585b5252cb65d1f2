"""Undefined figures of whole runs: null, a dash and a note, in metrics.json, page, card and console."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.cli.tables.table import print_metrics
from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.audio.wav import write_wav

from ....made_up.untrained import use_untrained
from .test_recordings import PROJECT, RATE

NONE = {"value": None, "low": None, "high": None}


def run(place: Path, labels: dict[str, tuple[int, ...]], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a project of class folders, label to takes, with networks that nobody trained; return its metrics."""
    for label, takes in labels.items():
        (place / "audio" / label).mkdir(parents=True)
        for take in takes:
            noise = np.random.default_rng([take, len(label)]).normal(0, 0.05, RATE).astype(np.float32)
            write_wav(place / "audio" / label / f"{take}-{label}.wav", noise, RATE)
    (place / "ossicle.toml").write_text(PROJECT)
    use_untrained(monkeypatch)
    run_project(load_project(place), Silent())
    content: dict[str, Any] = json.loads((place / "metrics.json").read_text())
    return content


def test_one_class_without_negatives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = run(tmp_path, {"wren": (0, 1, 2, 3)}, monkeypatch)
    assert metrics["events"]["f1"] == metrics["events"]["precision"] == NONE
    assert metrics["in_sample"]["events"]["f1"] == metrics["macro"]["f1"] == NONE
    assert metrics["per_label"]["wren"]["f1"] == NONE
    assert metrics["macro"]["labels"] == {"f1": 0, "precision": 0, "recall": 1, "all": 1}
    recordings = metrics["recordings"]
    assert [recordings["macro"][name] for name in ("roc_auc", "cmap", "f1")] == [NONE] * 3
    assert (recordings["everywhere"], recordings["per_label"]["wren"]["threshold"]) == (["wren"], None)
    assert metrics["frames"]["macro"]["cmap"] == NONE
    (note,) = metrics["notes"]
    assert note == "wren: every evaluated recording has it: without negatives precision, F1 and ranking are undefined"
    assert metrics["per_label"]["wren"]["notes"] == [note.removeprefix("wren: ")]
    print_metrics(metrics)
    shown = capsys.readouterr().out
    assert f"note: {note}" in shown
    assert re.search(r"all \(out of fold\)\s+–\s+–", shown)
    assert "cmAP –" in shown
    assert "in every recording: wren" in shown
    page = (tmp_path / "report.html").read_text()
    assert f'<p class="notice">{note}</p>' in page
    assert re.search(r'<div class="figure"><b>–</b><span>F1 by recording</span>', page)
    assert "nan" not in re.sub(r'src="[^"]*"', "", page).lower().replace("nan-", "")
    card = (tmp_path / "bundle" / "CARD.md").read_text()
    assert re.search(r"\| cmAP \| all \| – \| – \|", card)
    assert "without negatives precision, F1 and ranking are undefined" in card


def test_a_label_of_one_group_has_a_note_and_keeps_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = run(tmp_path, {"wren": (0, 1, 2, 3), "jay": (0, 1, 3), "robin": (2,)}, monkeypatch)
    (note,) = metrics["notes"]
    assert note.startswith("robin: annotated in group '2' only")
    assert "notes" not in metrics["per_label"]["wren"]
    assert metrics["per_label"]["robin"]["recall"]["value"] is not None
    page = (tmp_path / "report.html").read_text()
    assert "annotated in group &#39;2&#39; only" in page
    assert "holds all references, so the decision used there was fitted without any" in page
