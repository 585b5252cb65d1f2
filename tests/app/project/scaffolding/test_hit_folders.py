"""``ossicle new drums`` on folders group/class/file: labels, groups and names of drums, all of which are said."""

from pathlib import Path

import numpy as np
import pytest

from ossicle.app.project.layers import recipe_names, recipe_values
from ossicle.app.project.load import load_project
from ossicle.app.project.scaffolding.hit_folders import DrumLabels, drum_labels, hit_folders, reads_hit_folders
from ossicle.app.project.scaffolding.scaffold import Wishes, scaffold
from ossicle.audio.wav import write_wav
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.label_map import parse_label_map
from ossicle.corpus.indexing.corpus_index import CorpusIndex, index_corpus
from ossicle.models.settings import LEAST_DB

RATE = 22050


def hits(place: Path, paths: list[str]) -> Path:
    for seed, path in enumerate(paths):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).normal(0, 0.1, RATE // 4).astype(np.float32)
        write_wav(place / path, noise, RATE, "PCM_16")
    return place


MACHINES = [
    f"{machine}/{label}/{take}.{suffix}"
    for machine in ("RolandTR808", "LinnLM1", "Korg M1")
    for label in ("bd", "sd", "hh_open")
    for take, suffix in (("Bass-01", "wav"), ("02", "WAV"))
]


def indexed(file: Path) -> CorpusIndex:
    project = load_project(file)
    return index_corpus(project.audio_folder, None, project.settings.corpus, group=project.settings.split.group)


def test_the_last_folder_is_the_label_and_the_first_one_the_group(tmp_path: Path) -> None:
    result: list[str] = []
    file = scaffold("drums", tmp_path / "p", Wishes(hits(tmp_path / "audio", MACHINES)), say=result.append)
    settings = load_project(file).settings
    assert (settings.split.group, settings.split.strategy) == ("folder", "grouped")
    # Five folds need five groups; each of fewer is held out once.
    assert settings.split.folds == 0
    assert settings.evaluation.criterion == "clips"
    # The files last 0.25 s. The window is not cut to them: a short hit ends in silence, and a clip is what follows it.
    assert (settings.chunks.window_s, settings.dataset.before_s, settings.dataset.after_s) == (0.4, 0.0, 0.4)
    assert settings.model.window.scores == "softmax"
    assert not settings.noise_gate.may_find_nothing
    index = indexed(file)
    assert len(index.recordings) == len(MACHINES)
    assert {recording.fields["folder"] for recording in index.recordings} == {"RolandTR808", "LinnLM1", "Korg M1"}
    assert {annotation.label for annotation in index.annotations} == {"hihat_open", "kick", "snare"}
    assert result == [
        "label: the last folder of each file (3: bd, hh_open, sd)",
        "group: the first folder (3: Korg M1, LinnLM1, RolandTR808); no fold divides it",
        "labels renamed: bd = kick, hh_open = hihat_open, sd = snare",
    ]
    assert all(f"# {line}" in file.read_text() for line in result)


def test_a_new_project_gives_silence_no_label(tmp_path: Path) -> None:
    settings = load_project(scaffold("drums", tmp_path / "p", Wishes(hits(tmp_path / "audio", MACHINES)))).settings
    assert settings.model.window.silence_db == -110
    # Files of before have no such line, and keep what they were.
    (tmp_path / "before.toml").write_text('base = "recipe:drums"\n[corpus]\naudio = "audio"\n')
    assert load_project(tmp_path / "before.toml").settings.model.window.silence_db == LEAST_DB


def test_deeper_folders_keep_the_first_as_group_and_the_last_as_label(tmp_path: Path) -> None:
    paths = [f"{kit}/takes/{day}/{label}/{n}.wav" for kit in "ab" for day in "12" for label in "xy" for n in "12"]
    index = indexed(scaffold("drums", tmp_path / "p", Wishes(hits(tmp_path / "audio", paths), folds=2)))
    assert {recording.fields["folder"] for recording in index.recordings} == {"a", "b"}
    assert {annotation.label for annotation in index.annotations} == {"x", "y"}


def test_files_in_fewer_folders_are_left_out_and_counted(tmp_path: Path) -> None:
    result: list[str] = []
    audio = hits(tmp_path / "audio", [*MACHINES, "kick/loose.wav", "readme.wav"])
    file = scaffold("drums", tmp_path / "p", Wishes(audio, folds=3), say=result.append)
    assert "left out: 2 files in fewer than two folders (kick/loose.wav, readme.wav)" in result
    index = indexed(file)
    assert sorted(left_out.path for left_out in index.left_out) == ["kick/loose.wav", "readme.wav"]
    assert "kick" not in {recording.fields["folder"] for recording in index.recordings}


def test_folder_names_that_would_end_a_comment_or_a_list_are_escaped(tmp_path: Path) -> None:
    paths = [f"{machine}/{label}/1.wav" for machine in ('a"b', "c\\d", "e # f") for label in ('sd"', "x=y", "bd")]
    index = indexed(scaffold("drums", tmp_path / "p", Wishes(hits(tmp_path / "audio", paths), folds=3)))
    assert {annotation.label for annotation in index.annotations} == {"snare", "x=y", "kick"}


SPELLINGS = {
    "a": ("BD", "SD", "CHH", "OH", "Tom-Lo", "808 Cowbell", "gong"),
    "b": ("kik", "Snare", "ClosedHat", "OpenHat", "Low Tom", "Cowbell", "gong"),
    "c": ("Kick 01", "snares", "HH", "Open Hi-Hat", "LT", "cow_bell", "gong"),
}


def test_a_drum_has_one_label_whatever_each_machine_calls_it(tmp_path: Path) -> None:
    """Three machines with six drums had 18 classes, of which each was in one group: nothing could be judged."""
    result: list[str] = []
    paths = [f"{machine}/{label}/{n}.wav" for machine, labels in SPELLINGS.items() for label in labels for n in "12"]
    file = scaffold("drums", tmp_path / "p", Wishes(hits(tmp_path / "audio", paths)), say=result.append)
    counts = indexed(file).annotations.label_counts()
    names = ("cowbell", "gong", "hihat_closed", "hihat_open", "kick", "snare", "tom_low")
    assert counts == dict.fromkeys(names, 6)
    assert any(
        line.startswith("labels renamed: 808 Cowbell = cowbell, BD = kick, CHH = hihat_closed") for line in result
    )


def test_names_in_folders_of_kits_are_read_by_a_template(tmp_path: Path) -> None:
    """Three kits were refused for the five folds of the recipe, and their short names stayed as they were."""
    paths = [f"{kit}/{label} {n}.wav" for kit in "abc" for label in ("BD", "Snare") for n in ("01", "02")]
    audio = hits(tmp_path / "audio", paths)
    with pytest.raises(UsageError, match=r"--name-template '\{kit\}/\{class\} \*' --group kit"):
        scaffold("drums", tmp_path / "p", Wishes(audio))
    file = scaffold("drums", tmp_path / "p", Wishes(audio, name_template="{kit}/{class} *", group="kit"))
    assert load_project(file).settings.split.folds == 0
    index = indexed(file)
    assert index.annotations.label_counts() == {"kick": 6, "snare": 6}
    assert {recording.fields["kit"] for recording in index.recordings} == {"a", "b", "c"}


def drums(*labels: str) -> DrumLabels:
    """What becomes of labels of one machine."""
    return drum_labels(dict.fromkeys(labels, ("a",)))


def test_entries_are_those_that_the_label_map_reads() -> None:
    labels = dict.fromkeys(("bd", "SD", "Cr", "cowbell", "bdx", "SD=1"), ("a",))
    entries = drum_labels({**labels, "kick": ("b",)}).label_map
    assert entries == ("Cr=crash", "SD=snare", "bd=kick")
    label_map = parse_label_map(entries, "corpus.label_map")
    assert [label_map.name(one) for one in ("bd", "SD", "Cr", "kick", "bdx")] == [
        "kick",
        "snare",
        "crash",
        "kick",
        "bdx",
    ]


def test_two_labels_of_one_drum_in_a_machine_are_left_as_they_are_and_named() -> None:
    labels = drums("hh", "ch", "bd", "kd", "sd")
    assert labels.label_map == ("sd=snare",)
    assert labels.kept == (("ch", "hh"), ("bd", "kd"))
    assert "labels left as they are: ch, hh, which may mean one drum" in labels.in_words()[1]
    # The same name in two cases is one name, and two machines may write one drum in two ways.
    assert drums("BD", "bd").label_map == ("BD=kick", "bd=kick")
    assert drum_labels({"hh": ["a"], "ch": ["b"]}).label_map == ("ch=hihat_closed", "hh=hihat_closed")


def test_a_label_that_is_the_name_already_is_one_of_the_two() -> None:
    """hihat_closed beside hh in one machine became one drum without a word."""
    assert drums("hihat_closed", "hh", "kick") == DrumLabels(kept=(("hh", "hihat_closed"),))
    assert drum_labels({"hihat_closed": ["a"], "hh": ["b"]}) == DrumLabels(("hh=hihat_closed",))
    assert drums("kick", "Kick") == DrumLabels(("Kick=kick",))


def test_only_the_recipe_for_hits_reads_hit_folders() -> None:
    assert [name for name in recipe_names() if reads_hit_folders(recipe_values(name))] == ["drums"]


def test_words_name_at_most_three() -> None:
    folders = hit_folders([f"{group}/{label}/1.wav" for group in "abcde" for label in "wxyz"], "audio")
    assert folders.in_words() == [
        "label: the last folder of each file (4: w, x, y and 1 more)",
        "group: the first folder (5: a, b, c and 2 more); no fold divides it",
    ]


def test_drum_machines_as_they_are(real_data: Path, tmp_path: Path) -> None:
    audio = real_data / "drum_machines"
    if not audio.is_dir():
        pytest.skip(f"{audio} is not there")
    index = indexed(scaffold("drums", tmp_path / "p", Wishes(audio)))
    # Every third file or so ends in .WAV.
    assert len(index.recordings) == len(index.annotations) == 859
    assert len({recording.fields["folder"] for recording in index.recordings}) == 35
    assert load_project(tmp_path / "p" / "ossicle.toml").settings.split.folds == 5
    assert len({annotation.label for annotation in index.annotations}) == 14
    assert {"kick", "snare", "crash", "hihat_closed", "tom_mid"} <= {
        annotation.label for annotation in index.annotations
    }
