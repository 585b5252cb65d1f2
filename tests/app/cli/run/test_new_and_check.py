"""``new`` and ``check`` say what a run will use, what it will leave out and why, and what it costs."""

import json
from pathlib import Path

import numpy as np
import pytest

from ossicle.audio.wav import write_wav
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import write_raven
from ossicle.training.optimisation import step_time

from ...conftest import Commands

RATE = 8000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_time, "step_seconds", lambda *settings: 0.1)


def corpus(place: Path, labels: dict[str, str]) -> Path:
    """Recordings of three seconds with two calls each, by stem and label."""
    (place / "audio").mkdir(parents=True)
    for seed, (stem, label) in enumerate(labels.items()):
        noise = np.random.default_rng(seed).normal(0, 0.05, 3 * RATE).astype(np.float32)
        audio = place / "audio" / f"{stem}.wav"
        audio.parent.mkdir(parents=True, exist_ok=True)
        write_wav(audio, noise, RATE)
        rows = [RawSelection(float(start), start + 0.5, label, 500.0, 3000.0) for start in (0.5, 1.5)]
        write_raven(place / "tables" / f"{stem}.Table.1.selections.txt", rows)
    return place


def new(ossicle: Commands, place: Path, *more: object) -> tuple[int, str, str]:
    result = ossicle("new", "tapes", place / "p", "--audio", place / "audio", "--annotations", place / "tables", *more)
    return result.code, " ".join(result.out.split()), result.err


def checked(ossicle: Commands, place: Path, *more: object) -> tuple[int, dict[str, list[tuple[bool, bool, str]]]]:
    result = ossicle("check", "-p", place / "p", "--json", *more)
    out: dict[str, list[tuple[bool, bool, str]]] = {}
    for entry in json.loads(result.out):
        out.setdefault(entry["what"], []).append((entry["ok"], entry["warns"], entry["message"]))
    return result.code, out


TWO_SCHEMES = {**{f"x_b{n}-f1": "call" for n in "ABC"}, **{f"zf_R{n}": "call" for n in range(4)}}


def test_recordings_that_the_template_does_not_fit_are_counted_by_both(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, TWO_SCHEMES)
    code, out, err = new(ossicle, place, "--group", "bird", "--name-template", "*_b{bird}-f*")
    assert code == 0
    assert "7 audio files: 3 used, 4 left out" in out
    assert "4 files (first: zf_R0.wav): its name does not match '*_b{bird}-f*'" in out
    assert "14 found: 6 used, 8 left out" in out
    assert "a run would leave something out" in err
    code, result = checked(ossicle, place)
    assert code == 3
    assert result["used recordings"] == [(False, False, "7 audio files: 3 used, 4 left out")]
    assert len(result["left out"]) == 2
    # The remedy works.
    code, out, err = new(
        ossicle, place, "--force", "--group", "bird", "--name-template", "*_b{bird}-f*", "--name-template", "zf_{bird}"
    )
    assert (code, err) == (0, "")
    assert checked(ossicle, place)[0] == 0


def test_a_run_and_health_end_as_check_says(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, {"siteA_1": "call", "siteB_1": "call"})
    (place / "tables/gone.Table.1.selections.txt").write_text(
        (place / "tables/siteA_1.Table.1.selections.txt").read_text().replace("siteA_1", "gone")
    )
    assert new(ossicle, place, "--group", "site")[0] == 0
    code, result = checked(ossicle, place)
    assert code == 3
    assert any("matches no recording" in message for _, _, message in result["left out"])
    for command in (("run", "--until", "dataset"), ("dataset", "health")):
        assert ossicle(*command, "-p", place / "p", "--progress", "none").code == 3
    assert checked(ossicle, place)[0] == 3


def test_neither_check_nor_health_ends_as_good_without_an_annotation(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, {"siteA_1": "call", "siteB_1": "call"})
    assert new(ossicle, place, "--group", "site")[0] == 0
    for table in (place / "tables").iterdir():
        table.unlink()
    code, result = checked(ossicle, place)
    # A run would fail.
    assert code == 2
    assert "no recording has an annotation" in str(result["labels"])
    health = ossicle("dataset", "health", "-p", place / "p", "--progress", "none")
    assert health.code == 3
    assert "no recording has an annotation" in health.out


def test_a_label_of_one_group_is_named(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, {"siteA_1": "x", "siteB_1": "y", "siteC_1": "z", "siteD_1": "z"})
    assert "label 'x' occurs in group 'A' only" in new(ossicle, place, "--group", "site")[1]
    code, result = checked(ossicle, place)
    ((ok, warns, message),) = result["not judged"]
    assert (code, ok, warns) == (0, True, True)
    assert "never trained on it" in message
    assert "'z'" not in message


def test_the_number_of_trainings_is_said_and_many_are_a_warning(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, {f"r{n:02d}": "call" for n in range(14)})
    code, out, _ = new(ossicle, place)
    assert code == 0
    assert "6 trainings (5 that hold out a fold, and the final one) of 80 epochs" in out
    ((_, warns, message),) = checked(ossicle, place, "--set", "split.folds=0")[1]["trainings"]
    assert warns
    assert message.startswith("15 trainings")
    assert message.endswith("[split] folds = 5 needs 6 trainings")
    assert not checked(ossicle, place)[1]["trainings"][0][1]


def test_a_class_without_negatives_is_a_warning_of_check_and_health(tmp_path: Path, ossicle: Commands) -> None:
    place = tmp_path
    for seed, name in enumerate("abcd"):
        noise = np.random.default_rng(seed).normal(0, 0.05, RATE).astype(np.float32)
        (place / "audio" / "wren").mkdir(parents=True, exist_ok=True)
        write_wav(place / "audio" / "wren" / f"{name}.wav", noise, RATE)
    result = ossicle("new", "birds", place / "p", "--audio", place / "audio", "--folds", 2)
    assert "there are no negatives" in " ".join(result.out.split())
    assert checked(ossicle, place)[1]["no negatives"][0][1]
    health = ossicle("dataset", "health", "-p", place / "p", "--progress", "none", "--json")
    assert "no_negatives" in {problem["code"] for problem in json.loads(health.out)["problems"]}


def test_what_cannot_be_split_or_read_blocks(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, {"siteA_1": "x", "siteB_1": "x"})
    new(ossicle, place, "--group", "site")
    code, result = checked(ossicle, place, "--set", "split.folds=3")
    assert code == 2
    assert result["split"][0][2].startswith("3 folds were requested")
    (place / "tables/siteA_1.Table.1.selections.txt").write_text("Begin Time (s)\tEnd Time (s)\nx\ty\n")
    code, result = checked(ossicle, place)
    assert code == 2
    assert "siteA_1.Table.1.selections.txt" in result["used recordings"][0][2]


def test_check_writes_nothing(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, {"siteA_1": "x", "siteB_1": "x"})
    new(ossicle, place, "--group", "site")
    before = sorted(tmp_path.rglob("*"))
    assert checked(ossicle, place)[0] == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_videos_beside_their_sound_are_no_recordings_and_are_named(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, dict.fromkeys(("a_A-1", "a_B-1", "a_C-1"), "call"))
    for file in sorted((place / "audio").iterdir()):
        file.with_suffix(".mov").write_bytes(file.read_bytes())
    code, out, err = new(ossicle, place, "--group", "bird", "--name-template", "a_{bird}-*")
    assert (code, "3 audio files: 3 used" in out) == (0, True), (out, err)
    code, result = checked(ossicle, place)
    skipped = (
        "3 files (a_A-1.mov) beside recordings of the same name were skipped; rename those that are other recordings"
    )
    assert result["skipped"] == [(True, False, skipped)]
    assert result["recordings"][0][2].startswith("3 audio files below")


def test_folders_whose_recordings_are_groups_by_themselves_are_named(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, {f"{site}/{n}": "call" for site in ("marsh", "ridge") for n in range(2)})
    out = new(ossicle, place)[1]
    assert "the recordings lie in 2 folders, and those of one folder may be both trained on and held out" in out
    code, result = checked(ossicle, place)
    ((ok, warns, message),) = result["folders"]
    assert (code, ok, warns) == (0, True, True)
    assert 'set [split] group = "folder"' in message
    # The remedy works.
    _, result = checked(ossicle, place, "--set", "split.group=folder")
    assert "folders" not in result
    assert result["groups"][0][2].startswith("2 by folder: marsh, ridge")


@pytest.mark.parametrize("stems", [("a/0", "b/0", "c/0"), ("0", "1", "2"), ("a/0", "a/1", "a/2")])
def test_folders_that_say_nothing_are_not_named(tmp_path: Path, ossicle: Commands, stems: tuple[str, ...]) -> None:
    place = corpus(tmp_path, dict.fromkeys(stems, "call"))
    assert new(ossicle, place)[0] == 0
    assert "folders" not in checked(ossicle, place)[1]


@pytest.mark.parametrize(
    ("field", "ok", "warns", "words"),
    [
        ("grade", False, False, "has the value 'A', which is not a number of at least 0"),
        ("rating", True, True, "no recording has a value of this field"),
    ],
)
def test_a_weight_that_would_stop_a_run_or_do_nothing_is_seen_before_it(
    tmp_path: Path, ossicle: Commands, field: str, ok: bool, warns: bool, words: str
) -> None:
    place = corpus(tmp_path, {"wren1": "call", "wren2": "call"})
    table = tmp_path / "train.csv"
    table.write_text("filename,primary_label,grade\nwren1.wav,wren,A\nwren2.wav,wren,A\n", encoding="utf-8")
    done = ossicle("new", "birds", place / "p", "--audio", place / "audio", "--labels", table, "--folds", 2)
    assert done.code == 0
    code, result = checked(ossicle, place, "--set", f"dataset.weight_field={field}")
    assert code == (0 if ok else 2)
    ((was_ok, warned, message),) = result["weights"]
    assert (was_ok, warned) == (ok, warns)
    assert words in message


@pytest.mark.parametrize("label", ["call\nloud", "call\u202e", "x" * 201])
def test_a_label_that_a_run_refuses_is_a_fault_of_the_check(tmp_path: Path, ossicle: Commands, label: str) -> None:
    place = corpus(tmp_path, {"a": "call", "b": "call"})
    (place / "tables" / "b.Table.1.selections.txt").unlink()
    table = 'start_time,end_time,label,quality\n0.5,1,call,2\n1.5,2,"{}",1\n'
    (place / "tables" / "b.csv").write_text(table.format(label), encoding="utf-8")
    assert new(ossicle, place)[0] == 0
    code, result = checked(ossicle, place)
    ((ok, _, message),) = result["label text"]
    assert (code, ok) == (2, False)
    assert ossicle("run", "-p", place / "p", "--until", "dataset").err.endswith(f"{message}\n")
    # A label that is no target is not refused.
    assert "label text" not in checked(ossicle, place, "--set", "dataset.quality_min=2")[1]
    (place / "tables" / "b.csv").write_text(table.format("call loud"), encoding="utf-8")
    assert "label text" not in checked(ossicle, place)[1]


def test_labels_of_points_alone_are_a_fault_before_hours_of_training(tmp_path: Path, ossicle: Commands) -> None:
    place = corpus(tmp_path, {"a": "call", "b": "call"})
    for stem in "ab":
        (place / "tables" / f"{stem}.Table.1.selections.txt").unlink()
        # As Audacity exports labels that were set without a selection.
        (place / "tables" / f"{stem}.txt").write_text("0.5\t0.5\tcall\n1.5\t1.5\tcall\n", encoding="utf-8")
    assert new(ossicle, place)[0] == 0
    code, result = checked(ossicle, place)
    ((ok, _, message),) = result["points"]
    assert (code, ok) == (2, False)
    assert "no annotation of 'call' has a length" in message
    # The remedy works.
    onsets = ("--set", "training.onset_s=0.1", "--set", 'evaluation.criterion="onsets"')
    code, result = checked(ossicle, place, *onsets)
    assert (code, "points" in result) == (0, False)
    (place / "tables" / "a.txt").write_text("0.5\t0.5\tcall\n1.5\t1.7\thum\n", encoding="utf-8")
    code, result = checked(ossicle, place)
    assert (code, result["points"][0][:2]) == (0, (True, True))


def test_check_reads_the_hand_labels_that_a_run_would_read_after_its_trainings(
    tmp_path: Path, ossicle: Commands
) -> None:
    place = corpus(tmp_path, {f"site{site}_1": "call" for site in "AB"})
    new(ossicle, place, "--group", "site")
    forest = ("--set", "second_stage.kind=forest", "--set", "second_stage.hand_labels=hand")
    code, result = checked(ossicle, place, *forest)
    assert code == 2
    assert result["hand labels"][0][:2] == (False, False)
    assert "does not exist; correct the path" in result["hand labels"][0][2]
    table = place / "p/hand/siteA_1.Table.1.selections.txt"
    write_raven(table, [RawSelection(0.5, 1.0, "maybe")])
    code, result = checked(ossicle, place, *forest)
    assert code == 2
    assert "labelled 'maybe'; write target, noise or one of: call" in result["hand labels"][0][2]
    write_raven(table, [RawSelection(0.5, 1.0, "Noise"), RawSelection(1.5, 2.0, "call")])
    code, result = checked(ossicle, place, *forest)
    assert (code, result["hand labels"]) == (0, [(True, False, f"2 rows for 1 recordings below {place / 'p/hand'}")])
    assert "hand labels" not in checked(ossicle, place, "--set", "second_stage.hand_labels=gone")[1]


def test_sizes_that_no_machine_holds_are_refused_or_said(
    tmp_path: Path, ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = corpus(tmp_path, {f"site{site}_1": "call" for site in "AB"})
    new(ossicle, place, "--group", "site")
    for huge in ("frontend.n_mels", "model.crnn.hidden", "training.batch_size", "training.epochs"):
        result = ossicle("check", "-p", place / "p", "--set", f"{huge}={10**20}")
        assert result.code == 2
        assert f"{huge.rpartition('.')[2]} = {10**20} must be at most" in result.err

    def too_large(*settings: object) -> float:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(step_time, "step_seconds", too_large)
    code, result = checked(ossicle, place)
    assert code == 0
    assert "not estimated, because one training step does not fit in memory" in result["trainings"][0][2]
