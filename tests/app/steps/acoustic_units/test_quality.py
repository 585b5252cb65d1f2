"""Steps ``quality`` and ``report``: hold-outs in turn, figures beside chance, and the page, on invented speech."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.acoustic_units import features, quality, report, segments
from ossicle.app.steps.acoustic_units.judged_speech import JudgedSpeech
from ossicle.app.steps.acoustic_units.quantiser import groups_of
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.step import Context, Silent, run_steps
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.motifs import MotifsFolder
from ossicle.artefacts.typed.units.quality import QualityFolder
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.sequences import SequencesFolder
from ossicle.units.frames import SegmentFrames
from ossicle.units.quantiser_training import TooFewFrames, train_quantiser
from ossicle.units.sequences import runs_of

from ....made_up.speech_like import write_speech

PROJECT = """
base = "recipe:units"
[corpus]
audio = "audio"
annotations = "words.tsv"
name_template = "{speaker}_*"
[split]
group = "speaker"
[segments]
shortest_s = 0.2
[project]
name = "invented"
workers = 1
[quantiser]
k = 12
normalisation = "segment"
[evaluation]
bootstrap = 100
"""


def made_by_hand(folder: Path, project: Project, artefacts: Mapping[str, Path]) -> dict[str, Path]:
    """Write quantiser, sequences and motifs of a project."""
    settings, own = project.settings.quantiser, FeaturesFolder.among(artefacts)
    quantiser = train_quantiser(
        SegmentFrames.of_shards(own, groups_of(SegmentsFolder.among(artefacts))),
        settings,
        own.spec,
        own.hop_s,
        own.origin_s,
    )
    quantiser.save(folder / "quantiser")
    QuantiserFolder(folder / "quantiser").write_sweep(
        [{"k": 12, "inertia": 3.0, "held_out_inertia": None, "dead": 0, "chosen": True}]
    )
    rows, table = [], SegmentsFolder.among(artefacts).table()
    for one in table.iter_rows(named=True):
        units = quantiser.assign(own.windows(one["segment_id"])[:, 0].astype(np.float32))
        runs = runs_of(units)
        key = (one["segment_id"], one["recording_id"], one["group"], one["start_s"])
        rows.append((*key, units, runs.units, runs.frames))
    sequences = SequencesFolder(folder / "sequences")
    sequences.write_part("all", pl.DataFrame(rows, schema=dict(SequencesFolder.SCHEMA), orient="row"))
    sequences.join_parts(
        ["all"], {"n_units": 12, "hop_s": 0.02, "origin_s": 0.0125, "quantiser": "f00", "left_out": {}}
    )
    motifs = MotifsFolder(folder / "motifs")
    example = {key: rows[0][place] for place, key in enumerate(("segment_id", "recording_id"))}
    motifs.write_table(
        pl.DataFrame(
            [(12, [1, 2], 9, 4, 2, 0.1, 0.2, 0.01, 9, 1.5, [{**example, "start_s": 0.1, "end_s": 0.4}])],
            schema=dict(MotifsFolder.SCHEMA),
            orient="row",
        )
    )
    motifs.write_summary({"asked": 500, "reached": 13, "reason": "no pair is left"})
    return {name: folder / name for name in ("quantiser", "sequences", "motifs")}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, Path]]:
    """A project of two speakers, and the artefacts before ``quality``."""
    folder = write_speech(tmp_path_factory.mktemp("quality"), files=5, words=12)
    (folder / "ossicle.toml").write_text(PROJECT)
    project = load_project(folder)
    done = run_steps((corpus.STEP, segments.STEP, features.STEP), project, Silent())
    made = made_by_hand(tmp_path_factory.mktemp("by-hand"), project, done.artefacts)
    return project, {**done.artefacts, **made}


def context(before: tuple[Project, dict[str, Path]], out: Path, *changes: str, **artefacts: Path) -> Context:
    project, inputs = before
    out.mkdir(exist_ok=True)
    log, journal = RunLog(out / "run.jsonl"), Journal(out / "journal.jsonl")
    return Context(
        load_project(project.file, changes), {**inputs, **artefacts}, out, Silent(), log, journal, {"segments": 2.0}
    )


def judged(before: tuple[Project, dict[str, Path]], out: Path, *changes: str) -> dict[str, Any]:
    quality.run(context(before, out, *changes))
    return QualityFolder(out).metrics


@pytest.fixture(scope="module")
def straight(before: tuple[Project, dict[str, Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artefact ``quality`` of an undisturbed run."""
    out = tmp_path_factory.mktemp("straight") / "quality"
    judged(before, out)
    return out


def test_each_speaker_is_judged_by_units_of_the_others(straight) -> None:
    metrics = QualityFolder(straight).metrics
    units = metrics["units"]
    assert set(units["folds"]) == {"speaker0", "speaker1"}
    assert metrics["protocol"]["basis"] == "held out by speaker"
    worst = min(units["folds"].values(), key=lambda fold: fold["ami"]["value"])
    assert units["ami"]["value"] == worst["ami"]["value"] > 0.1
    assert abs(units["ami_shuffled"]["value"]) < 0.05
    assert units["abx_within"]["value"] < 0.3
    assert units["features"]["abx_across"]["triples"] == 5000
    assert {"purity", "nmi", "boundary_f", "r_value", "bitrate", "repeat_rate"} <= set(units)
    assert metrics["insufficient"] is True  # four words are too few for a claim
    assert "different words are judged" in metrics["insufficient_because"][0]
    assert metrics["in_sample"]["units"]["recordings"] == 10
    json.dumps(metrics, allow_nan=False)


def test_a_fold_that_is_judged_is_not_judged_again(before, straight, tmp_path, monkeypatch) -> None:
    whole = QualityFolder(straight).metrics
    trained: list[int] = []

    def interrupted(*given: Any, **named: Any) -> Any:
        trained.append(given[0].n_frames)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return train_quantiser(*given, **named)

    monkeypatch.setattr(quality, "train_quantiser", interrupted)
    with pytest.raises(KeyboardInterrupt):
        judged(before, tmp_path / "quality")
    assert judged(before, tmp_path / "quality") == whole
    assert len(trained) == 3
    left = [path.name for path in (tmp_path / "quality").iterdir() if not path.name.startswith(".ossicle-lock-")]
    assert left == ["metrics.json"]
    quality.run(context(before, tmp_path / "quality"))
    assert len(trained) == 3


def test_folds_may_be_judged_by_tasks_of_their_own(before, straight, tmp_path) -> None:
    of = quality.STEP.work_units
    assert of is not None
    made = context(before, tmp_path / "quality")
    names = of.names_of(made.project, made.inputs)
    assert names == ("fold-000", "fold-001")
    for name in reversed(names):
        assert not of.done(made.folder, name)
        of.run(made, name)
        assert of.done(made.folder, name)
    quality.run(made)
    assert QualityFolder(made.folder).metrics_file.read_bytes() == QualityFolder(straight).metrics_file.read_bytes()
    assert all(of.done(made.folder, name) for name in names)
    assert of.names_of(load_project(made.project.file, ["quality.hold_out=none"]), made.inputs) == ()


def test_without_words_the_figures_that_need_them_are_left_out(before, tmp_path) -> None:
    project, inputs = before
    done = run_steps(
        (corpus.STEP, segments.STEP, features.STEP), load_project(project.file, ['corpus.annotations=""']), Silent()
    )
    metrics = judged((project, {**inputs, **done.artefacts}), tmp_path / "quality")
    assert {name for name in metrics["units"] if name != "folds"} == {"bitrate", "bitrate_runs", "repeat_rate"}
    assert (metrics["units"]["folds"], metrics["protocol"]["basis"]) == ({}, "in-sample")
    assert "There are no words with times" in metrics["notes"][0]
    assert quality.STEP.work_units.names_of(project, {**inputs, **done.artefacts}) == ()


def test_without_hold_outs_the_figures_are_in_sample(before, tmp_path) -> None:
    metrics = judged(before, tmp_path / "quality", "quality.hold_out=none")
    assert (metrics["units"]["folds"], metrics["protocol"]["basis"]) == ({}, "in-sample")
    assert metrics["units"]["ami"]["fold"] == "all speech"


def test_the_page_shows_units_motifs_and_segments_with_sound(before, straight, tmp_path) -> None:
    report.run(context(before, tmp_path / "report", quality=straight))
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    for text in ("invented", "held out by speaker", "13 of 500 tokens", "no pair is left", "AMI with words"):
        assert text in page
    assert page.count("<audio") >= 12 + 1 + 6


def test_a_recording_that_is_gone_costs_only_its_sound(before, straight, tmp_path) -> None:
    prepared = context(before, tmp_path / "report", quality=straight)
    for file in (prepared.project.folder / "audio").glob("speaker0_*"):
        file.rename(file.with_suffix(".away"))
    try:
        report.run(prepared)
    finally:
        for file in (prepared.project.folder / "audio").glob("*.away"):
            file.rename(file.with_suffix(".wav"))
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "without sound" in page
    assert page.count("<audio") >= 6


def test_a_fold_with_fewer_frames_than_units_is_undefined_and_the_run_finishes(before, tmp_path, monkeypatch) -> None:
    def short(*given: Any, **named: Any) -> Any:
        raise TooFewFrames("[quantiser] k = 12: there are only 8 frames to fit the units to; set a lower k")

    monkeypatch.setattr(quality, "train_quantiser", short)
    metrics = judged(before, tmp_path / "quality")
    assert metrics["units"]["ami"]["value"] is None
    assert metrics["insufficient"] is True
    notes = [note for note in metrics["notes"] if "no figures" in note]
    assert [note.partition(" held out")[0] for note in notes] == ["speaker speaker0", "speaker speaker1"]
    assert metrics["insufficient_because"] == notes
    report.run(context(before, tmp_path / "report", quality=tmp_path / "quality"))


def test_notes_say_why_abx_has_no_figure(before, tmp_path, monkeypatch) -> None:
    metrics = judged(before, tmp_path / "quality", "quality.hold_out=none")
    assert 'hold_out = "none": ABX of the units is left out' in metrics["notes"][0]
    monkeypatch.setattr(JudgedSpeech, "frames_by_group", {"speaker0": 9})
    folds = {"all speech": {"abx_across": {"triples": 0}, "abx_within": {"triples": 5}}}
    notes = quality._notes(before[0], JudgedSpeech.of(context(before, tmp_path / "one")), folds)
    assert len(notes) == 1
    assert "nothing is compared across speaker" in notes[0]
