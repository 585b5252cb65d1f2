"""``ossicle new birds``: class folders and metadata tables to a project that loads, as far as its dataset."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.clip_scaffold import _window_s
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.app.steps.data import corpus, dataset
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.artefacts.files import read_json
from ossicle.artefacts.records.column_tables import clips_of
from ossicle.artefacts.tables import read_table
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.core.errors import SplitError, UsageError
from ossicle.corpus.formats.cells.delimited import write_delimited
from ossicle.models.frontend import LogMel

from ....made_up.untrained import use_untrained

HEADER = ("primary_label", "secondary_labels", "filename", "rating", "author")


def sounds(folder: Path, names: Sequence[str], seconds: float = 1.0, rate: int = 44100) -> Path:
    for number, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).standard_normal(int(seconds * rate)) * 0.1
        soundfile.write(file, np.clip(noise, -1, 1), rate)
    return folder


def birdclef(folder: Path) -> Path:
    rows = []
    for number in range(12):
        label = ("wren", "robin", "nocall")[number % 3]
        more = "['wren']" if number == 1 else "[]"
        rows.append((label, more, f"{label}/XC{number}.wav", str(number % 6), f"a{number // 2}"))
    sounds(folder / "audio", [row[2] for row in rows], rate=8000)
    write_delimited(folder / "train.csv", HEADER, rows)
    return folder


GOLDEN = """\
base = "recipe:birds"

[project]
name = "work"

[corpus]                 # paths are relative to this file
audio = "../audio"
name_template = "{fold:#}-{source:#}-{take:A|B|C|D|E|F|G|H}"

[split]
group = "source"
fold_field = "fold"      # the folds that were published

# 4 recordings, 4 annotations
[frontend]
rate = 32000             # Hz; most recordings have at least 44100

[model.window]
silence_db = -120.0      # a window without any sound holds no label

[chunks]
# half of the recordings last at most 1.9 s
core_s = 1.5
window_s = 1.5
step_s = 1.5
"""


def test_a_project_of_class_folders_with_published_folds(tmp_path: Path) -> None:
    names = [f"{label}/{fold}-{fold}{n}7-A.wav" for n, label in enumerate(("rain", "dog")) for fold in (1, 2)]
    audio = sounds(tmp_path / "audio", names, seconds=1.9)
    file = scaffold("birds", tmp_path / "work", Wishes(audio))
    assert file.read_text() == GOLDEN
    settings = load_project(file).settings
    assert (settings.corpus.label_field, settings.split.fold_field) == ("folder", "fold")
    assert settings.plan.hop_s == 1.5
    assert settings.frontend.n_mels == 128


@pytest.mark.parametrize("rate", [8000, 44100])
def test_silence_holds_no_label_and_a_faint_tone_may(tmp_path: Path, rate: int) -> None:
    """The clips of some classes end in digital silence, which a network then takes for the class."""
    audio = sounds(tmp_path / "audio", [f"{label}/{n}.wav" for label in ("rain", "dog") for n in "1234"], rate=rate)
    settings = load_project(scaffold("birds", tmp_path / "work", Wishes(audio))).settings
    loudest_mel = LogMel(settings.frontend)
    n = settings.frontend.rate
    for silent in (torch.zeros(n), torch.full((n,), 1 / 32768)):
        assert loudest_mel(silent[None]).max() <= settings.model.window.silence_db
    faint = 1e-5 * torch.sin(2 * torch.pi * 0.1 * torch.arange(n))
    assert loudest_mel(faint[None]).max() > settings.model.window.silence_db


def test_esc10_is_found_to_be_what_it_is(real_data: Path, tmp_path: Path) -> None:
    file = scaffold("birds", tmp_path / "esc10", Wishes(real_data / "esc10"))
    project = load_project(file)
    assert (project.settings.frontend.rate, project.settings.chunks.window_s) == (32000, 5.01)
    # Nearly all of them last 5.001 s: a second window would hold a millisecond.
    assert project.settings.plan.n_frames(round(5.00099773 * 32000)) == 1
    overrides = ("corpus.decode=false",)
    done = run_steps((corpus.STEP, dataset.STEP), load_project(file, overrides), Silent()).artefacts
    split = read_json(done["dataset"] / "split.json")
    assert split["names"] == {str(fold): f"fold {fold + 1}" for fold in range(5)}
    assert [fold["recordings"] for fold in split["folds"]] == [80] * 5
    assert split["ok"]
    assert split["rare"]["labels"] == []
    clips = clips_of(read_table(done["dataset"] / "clips.parquet"))
    assert len(clips) == 400
    assert {clip.role for clip in clips} == {"target"}
    assert {clip.start_s for clip in clips} == {0.0}


def test_a_project_of_a_table(tmp_path: Path) -> None:
    place = birdclef(tmp_path)
    file = scaffold("birds", tmp_path / "work", Wishes(place / "audio", labels=str(place / "train.csv"), folds=2))
    text = file.read_text()
    assert '[corpus.metadata]\ntable = "../train.csv"\n' in text
    assert 'label_field = ""' in text
    project = load_project(file)
    settings = project.settings
    assert (settings.split.group, settings.split.folds, settings.dataset.weight_field) == ("author", 2, "rating")
    # 8 kHz recordings: frames last as long as at 32 kHz.
    assert (settings.frontend.rate, settings.frontend.n_fft, settings.frontend.hop_samples) == (8000, 512, 128)
    assert settings.frontend.fmax_hz == 4000
    done = run_steps((corpus.STEP, dataset.STEP), project, Silent()).artefacts
    clips = clips_of(read_table(done["dataset"] / "clips.parquet"))
    assert sorted((clip.role, clip.label) for clip in clips) == (
        [("noise", "")] * 4 + [("target", "robin")] * 4 + [("target", "wren")] * 5
    )
    assert {clip.weight for clip in clips if clip.role == "target"} == {0.2, 0.6, 0.8, 1.0}
    assert all(clip.start_s == 0 for clip in clips)


def test_unknown_labels_are_written_beside_the_dataset(tmp_path: Path) -> None:
    place = birdclef(tmp_path)
    file = scaffold("birds", tmp_path / "work", Wishes(place / "audio", labels=str(place / "train.csv"), folds=2))
    done = run_steps(
        (corpus.STEP, dataset.STEP), load_project(file, ("corpus.metadata.secondary=unknown",)), Silent()
    ).artefacts
    rows = read_table(DatasetFolder.among(done).unknown_file).to_dicts()
    assert [row["label"] for row in rows] == ["wren"]
    clips = clips_of(read_table(done["dataset"] / "clips.parquet"))
    assert [clip.label for clip in clips if clip.recording_id == rows[0]["recording_id"]] == ["robin"]


def test_a_changed_table_is_read_anew(tmp_path: Path) -> None:
    place = birdclef(tmp_path)
    file = scaffold("birds", tmp_path / "work", Wishes(place / "audio", labels=str(place / "train.csv"), folds=2))
    first = run_steps((corpus.STEP,), load_project(file), Silent())
    assert run_steps((corpus.STEP,), load_project(file), Silent()).outcomes == {"corpus": "reused"}
    table = place / "train.csv"
    table.write_text(table.read_text().replace("robin,[]", "crow,[]"))
    again = run_steps((corpus.STEP,), load_project(file), Silent())
    assert again.outcomes == {"corpus": "computed"}
    assert again.artefacts != first.artefacts
    table.unlink()
    with pytest.raises(UsageError, match=r"\[corpus\.metadata\] table: .*train\.csv is not a file"):
        run_steps((corpus.STEP,), load_project(file), Silent())


def test_column_names_that_others_use_are_found_or_asked_for(tmp_path: Path) -> None:
    sounds(tmp_path / "audio", [f"{n}.wav" for n in range(4)], rate=8000)
    rows = [(f"{n}.wav", str(n % 2), ("dog", "rain")[n // 2]) for n in range(4)]
    write_delimited(tmp_path / "esc.csv", ("filename", "fold", "category"), rows)
    file = scaffold("birds", tmp_path / "work", Wishes(tmp_path / "audio", labels=str(tmp_path / "esc.csv")))
    settings = load_project(file).settings
    assert (settings.corpus.metadata.label_column, settings.split.fold_field) == ("category", "fold")
    write_delimited(tmp_path / "odd.csv", ("filename", "fold", "Taxon"), rows)
    odd = Wishes(tmp_path / "audio", labels=str(tmp_path / "odd.csv"))
    with pytest.raises(UsageError, match=r"choose the label column with --label-column from: filename, fold, Taxon"):
        scaffold("birds", tmp_path / "odd", odd)
    named = Wishes(tmp_path / "audio", labels=str(tmp_path / "odd.csv"), label_column="Taxon")
    assert load_project(scaffold("birds", tmp_path / "odd", named)).settings.corpus.metadata.label_column == "Taxon"
    write_delimited(tmp_path / "none.csv", ("id", "label"), [("a", "b")])
    with pytest.raises(UsageError, match="no column is called filename"):
        scaffold("birds", tmp_path / "none", Wishes(tmp_path / "audio", labels=str(tmp_path / "none.csv")))


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([5.0] * 3, 5.0),
        ([4.96] * 3, 4.96),
        ([5.001] * 9 + [1.0, 30.0], 5.01),
        ([4.7, 4.9, 5.2, 6.0, 3.0], 4.5),
        ([30.0, 60.0, 2.0], 5.0),
        ([0.456] * 3, 0.45),
        ([0.001] * 3, 0.01),
    ],
)
def test_windows_fit_the_recordings(lengths: list[float], expected: float) -> None:
    assert _window_s(5.0, np.array(lengths))[0] == expected


def test_what_cannot_be_split_is_told_before_a_project_is_written(tmp_path: Path) -> None:
    audio = sounds(tmp_path / "audio", [f"{label}/{n}.wav" for label in ("a", "b") for n in range(2)], rate=8000)
    with pytest.raises(SplitError, match=r"5 folds were requested.*gives 4 groups"):
        scaffold("birds", tmp_path / "work", Wishes(audio, folds=5))
    names = [f"{label}/{fold}-33-{take}.wav" for label in "xy" for fold, take in ((1, "A"), (2, "B"))]
    names += ["x/1-34-A.wav"]
    cut = sounds(tmp_path / "cut", names, rate=8000)
    with pytest.raises(SplitError, match=r"the group '33' is in several folds"):
        scaffold("birds", tmp_path / "work", Wishes(cut))
    assert not (tmp_path / "work").exists()


def test_sources_of_labels_that_contradict_are_refused(tmp_path: Path) -> None:
    audio = sounds(tmp_path / "audio", ["a/1.wav", "b/2.wav"], rate=8000)
    for wishes, said in (
        (Wishes(audio, annotations=audio, labels="folder"), "--labels and --annotations"),
        (Wishes(audio, labels="folders"), "neither 'folder' nor a file"),
        (Wishes(audio, labels="folder", label_column="x"), "--label-column x needs a table"),
    ):
        with pytest.raises(UsageError, match=said):
            scaffold("birds", tmp_path / "work", wishes)


def test_timed_annotations_may_be_read_by_a_clip_model(tmp_path: Path) -> None:
    audio = sounds(tmp_path / "audio", ["siteA_1.wav", "siteB_1.wav"], seconds=6, rate=8000)
    for name in ("siteA_1", "siteB_1"):
        (tmp_path / "tables" / f"{name}.txt").parent.mkdir(exist_ok=True)
        (tmp_path / "tables" / f"{name}.txt").write_text("1.0\t2.0\twren\n")
    file = scaffold("birds", tmp_path / "work", Wishes(audio, annotations=tmp_path / "tables", group="site", folds=0))
    settings = load_project(file).settings
    assert (settings.corpus.label_field, settings.chunks.window_s) == ("", 5.0)
    assert settings.corpus.annotations.endswith("tables")


def test_stats_list_rare_labels_and_the_longest_of_many_groups(ossicle, tmp_path: Path) -> None:
    names = [f"{label}/{n}.wav" for n in range(35) for label in ("wren", "robin")] + ["crow/1.wav", "noise/1.wav"]
    audio = sounds(tmp_path / "audio", names, seconds=0.1, rate=8000)
    file = scaffold("birds", tmp_path / "work", Wishes(audio, folds=3))
    result = ossicle("dataset", "stats", "-p", file, "--set", "corpus.decode=false")
    assert result.code == 0, result.err
    assert "the 60 longest of 72; --json lists all" in result.out
    assert "split.rare = each_fold: they are assigned to folds like the others" in result.out
    told = ossicle(
        "dataset", "stats", "-p", file, "--set", "corpus.decode=false", "--set", "split.rare=train", "--json"
    )
    rare = json.loads(told.out)["rare"]
    assert (rare["rule"], rare["never_held_out"]) == ("train", 1)
    assert [(one["label"], one["groups"], one["folds"]) for one in rare["labels"]] == [("crow", 1, [])]
    kept = ossicle("dataset", "stats", "-p", file, "--set", "corpus.decode=false", "--set", "split.rare=train")
    assert "1 recordings are never held out" in kept.out


@pytest.mark.slow
def test_a_table_goes_all_the_way_to_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = birdclef(tmp_path)
    file = scaffold("birds", tmp_path / "work", Wishes(place / "audio", labels=str(place / "train.csv"), folds=2))
    use_untrained(monkeypatch)
    overrides = (
        "model.window.backbone=resnet10t",
        "corpus.metadata.secondary=unknown",
        "evaluation.bootstrap=100",
        'noise_gate.off=["silence", "white_noise", "hum", "speech_like", "recordings"]',
        "report.examples=0",
    )
    done = run_project(load_project(file, overrides), Silent())
    assert set(done.outcomes.values()) == {"computed"}
    metrics = read_json(tmp_path / "work/metrics.json")
    assert set(metrics["per_label"]) == {"robin", "wren"}
    # Of 12 recordings 8 have a label; what may be a wren or not counts neither way.
    assert metrics["n_reference"] == 8
    assert (tmp_path / "work/bundle").is_dir()
