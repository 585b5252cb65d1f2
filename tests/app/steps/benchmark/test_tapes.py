"""A benchmark on raw tapes of which only labelled clips were looked at: judged there, and nowhere else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from ossicle.app.steps.benchmark import results
from ossicle.app.steps.benchmark.models import Opened
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import read_bundle, write_bundle
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.inference.predictor import FakePredictor
from ossicle.report.pages import benchmark_tables as bt

from ....made_up.old_scheme import RATE, TAPES, make_corpus
from ...conftest import Commands

PROJECT = """
base = "recipe:tapes"
[corpus]
audio = "train"
annotations = "train-tables"
[benchmark]
audio = "alpacas"
annotations = "alpacas/segmented"
name_template = "{animal}_{date:#}_*"
clip_names = ["{tape:*}.wav_{start:#}_{end:#}"]
segment_names = ["{clip:*}_{start:#}_{end:#}Q{quality:1|2|3|4}"]
offset_unit = "min"
tape = "tape"
labels = ["hum"]
bootstrap = 100
thresholds = [0.1, 0.5]
"""


@pytest.fixture
def folder(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_corpus(tmp_path / "alpacas", TAPES[:2])
    (tmp_path / "train").mkdir()
    soundfile.write(tmp_path / "train" / "Other_1.wav", np.full(RATE * 2, 0.01), RATE)
    write_raven(tmp_path / "train-tables" / "Other_1.txt", [RawSelection(0.5, 1.0, "hum")])
    (tmp_path / "ossicle.toml").write_text(PROJECT.replace("[benchmark]", 'default_label = "hum"\n[benchmark]'))
    old = read_bundle(repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle")
    files = {file: old.read_bytes(file) for file in old.files if file != "CARD.md"}
    values = {key: getattr(old, key) for key in ("plan", "front", "provenance", "metrics", "split", "model")}
    decisions = {"hum": next(iter(old.decisions.values()))}
    write_bundle(
        tmp_path / "bundle",
        BundleDescription(
            name="hums",
            labels=("hum",),
            decisions=decisions,
            **values,
        ),
        files=files,
    )
    monkeypatch.setattr(results, "missing", lambda: ("nbclient",))
    monkeypatch.setattr("ossicle.report.notebook.missing", lambda: ("nbclient",))
    monkeypatch.setattr(Opened, "predictor", lambda self, settings: FakePredictor(self.bundle.labels, self.plan))
    return tmp_path


def best(folder: Path) -> dict[str, Any]:
    rows = bt.read_tables(folder / "benchmark")["metrics"]
    rows = rows.filter(pl.col("criterion") == "iou 0.5", pl.col("decision") == "grid", pl.col("threshold") == 0.5)
    return rows.row(0, named=True)


def test_only_where_somebody_looked_is_anything_judged(folder: Path, ossicle: Commands) -> None:
    result = ossicle("benchmark", "-p", folder, "--progress", "none")
    assert result.code == 0, result.err
    about = json.loads((folder / "benchmark" / "benchmark.json").read_text())
    assert (about["recordings"], about["known_in_part"], about["annotations"]) == (2, 2, 12)
    assert about["hours"] == pytest.approx(4 / 60, abs=1e-6)
    # The second of sound in the minute that nobody labelled is neither right nor wrong.
    row = best(folder)
    assert (row["n_reference"], row["n_predicted"], row["recall"], row["precision"]) == (12, 12, 1.0, 1.0)
    assert row["hours"] == pytest.approx(4 / 60, abs=1e-6)
    # Once that minute is a labelled clip without segments, it is a false alarm on each tape.
    for tape in TAPES[:2]:
        samples, _ = soundfile.read(folder / "alpacas" / "raw_recordings" / f"{tape}.wav")
        clip = folder / "alpacas" / "labelled_recordings" / f"{tape}.wav_1_2.wav"
        soundfile.write(clip, samples[60 * RATE : 120 * RATE], RATE)
    result = ossicle("benchmark", "-p", folder, "--progress", "none")
    assert result.code == 0, result.err
    row = best(folder)
    assert (row["n_reference"], row["n_predicted"], row["recall"]) == (12, 14, 1.0)
    assert row["false_alarms_per_hour"] == pytest.approx(2 / 0.1)
