"""Hits in other folders than group/class/file: what ``ossicle new drums`` says, typed as it says it."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from ossicle.app.project.load import load_project
from ossicle.audio.wav import write_wav
from ossicle.corpus.indexing.corpus_index import index_corpus


def hits(place: Path, paths: list[str]) -> Path:
    for seed, path in enumerate(paths):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).normal(0, 0.1, 2000).astype(np.float32)
        write_wav(place / path, noise, 22050, "PCM_16")
    return place


KITS, DRUMS, TAKES = ("909", "Acoustic", "Lo-Fi"), ("Kicks", "Snares", "Hi-Hats Closed", "Risers"), ("a1", "b2")
# Folders of sample libraries: by drum first, with layers of velocity, in the folder of a vendor, of drums alone, of
# kits alone with the drum in the name.
LAYOUTS = {
    "drum first": [f"{drum}/{kit}/{take}.wav" for drum in DRUMS for kit in KITS for take in TAKES],
    "layers": [f"{kit}/{drum}/v{n}/{take}.wav" for drum in DRUMS for kit in KITS for n in (1, 2) for take in TAKES],
    "vendor": [f"Vendor X/{kit}/{drum}/{take}.wav" for drum in DRUMS for kit in KITS for take in TAKES],
    "drums alone": [f"{drum}/{kit}-{take}.wav" for drum in DRUMS for kit in KITS for take in TAKES],
    "names": [f"{kit}/{drum[:-1]}_{take}.wav" for drum in ("Kicks", "Snares") for kit in KITS for take in TAKES],
    "names and numbers": [f"{kit}/{drum}{n:02}.wav" for drum in ("BD", "SD") for kit in KITS for n in (1, 2)],
}
GROUPS = {"drums alone": 24}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_options_of_a_refusal_read_the_drums(ossicle, tmp_path: Path, layout: str) -> None:
    audio = hits(tmp_path / "audio", LAYOUTS[layout])
    refused = ossicle("new", "drums", tmp_path / "p", "--audio", audio)
    assert refused.code == 2
    assert not (tmp_path / "p").exists()
    said = " ".join(refused.err.split())
    options = re.search(r"(--audio '[^']+'|--name-template '[^']+'( --group [a-z]+)?)", said.partition(": ")[2])
    assert options is not None, said
    typed = shlex.split(options[0])
    done = ossicle("new", "drums", tmp_path / "p", *(() if typed[0] == "--audio" else ("--audio", audio)), *typed)
    assert done.code == 0, done.err
    project = load_project(tmp_path / "p")
    group = project.settings.split.group
    index = index_corpus(project.audio_folder, None, project.settings.corpus, group=group)
    assert len(index.recordings) == len(LAYOUTS[layout])
    wanted = {"kick", "snare"} | ({"hihat_closed", "Risers"} if "Kicks" in str(LAYOUTS[layout]) else set())
    assert set(index.annotations.label_counts()) == (wanted if layout != "names" else {"kick", "snare"})
    assert len({recording.fields[group] for recording in index.recordings}) == GROUPS.get(layout, 3)


def test_the_last_folders_may_be_the_labels_all_the_same(ossicle, tmp_path: Path) -> None:
    audio = hits(tmp_path / "audio", LAYOUTS["drum first"])
    template = ("--name-template", "*/{class:*}/*", "--group", "folder")
    assert f"{template[0]} '{template[1]}'" in ossicle("new", "drums", tmp_path / "p", "--audio", audio).err
    assert ossicle("new", "drums", tmp_path / "p", "--audio", audio, *template).code == 0


def test_folders_of_unknown_names_are_taken_as_they_are(ossicle, tmp_path: Path) -> None:
    paths = [f"{kit}/{name}/{take}.wav" for kit in KITS for name in ("bombo", "caja") for take in TAKES]
    done = ossicle("new", "drums", tmp_path / "p", "--audio", hits(tmp_path / "audio", paths))
    assert done.code == 0, done.err
