import json
import os
import re
import shutil
from pathlib import Path

import pytest

from ossicle.artefacts import shelf as shelf_module
from ossicle.artefacts.array_files.blocks import read_track
from ossicle.artefacts.files import read_json, tree_digest, write_text
from ossicle.artefacts.fingerprint import Fingerprint
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.shelf import JOURNAL, MANIFEST, RUN_LOG, Shelf
from ossicle.artefacts.tables import read_table
from ossicle.core.errors import ArtefactError, LockedError

from ..doubles.kills import NEVER, run_dying

FP = Fingerprint("score", 1, {"hop_s": 0.1, "on": 1e-17}, {"bundle": "ab"}, {"av": "14"})

# Does three units of work, resuming.
CALLS = ("replace", "rename", "mark")
THREE_UNITS = """
from pathlib import Path
from ossicle.artefacts.files import write_text
from ossicle.artefacts.fingerprint import Fingerprint
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.shelf import JOURNAL, Shelf
shelf = Shelf(Path(sys.argv[1]))
made_from = Fingerprint("score", 1, {"hop_s": 0.1, "on": 1e-17}, {"bundle": "ab"}, {"av": "14"})
if shelf.find(made_from) is None:
    work = shelf.begin(made_from)
    journal = Journal(work / JOURNAL)
    for unit in ("a", "b", "c"):
        if journal.done(unit) is None:
            print(unit, flush=True)
            write_text(work / f"{unit}.txt", f"result of {unit}")
            journal.mark(unit)
    shelf.commit(made_from)
"""


def make(root: Path, fp: Fingerprint = FP, text: str = "x") -> Path:
    shelf = Shelf(root)
    work = shelf.begin(fp)
    write_text(work / "Tape 1.2/ä.txt", text)
    write_text(work / "logs" / "one", str(root))
    write_text(work / RUN_LOG, str(root))
    Journal(work / JOURNAL).mark("unit", root=str(root))
    return shelf.commit(fp)


def test_an_artefact_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    place = make(tmp_path, text="first")
    assert make(tmp_path, text="second") == place
    assert (place / "Tape 1.2/ä.txt").read_text() == "first"
    work = Shelf(tmp_path).begin(FP)
    write_text(work / "third.txt", "third")
    assert Shelf(tmp_path).commit(FP, replace=True) == place
    assert [file.name for file in place.glob("*.txt")] == ["third.txt"]


def test_found_when_committed_and_only_then(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "data")
    assert shelf.find(FP) is None
    work = shelf.begin(FP)
    assert work == tmp_path / "data" / "score" / f".work-{FP.digest[:16]}"
    assert shelf.find(FP) is None
    place = make(tmp_path / "data")
    assert place == shelf.find(FP) == tmp_path / "data" / "score" / FP.digest[:16]
    assert not work.exists()
    assert shelf.find(Fingerprint("score", 2, FP.settings, FP.inputs)) is None


def test_the_manifest_says_what_it_was_made_from(tmp_path: Path) -> None:
    place = make(tmp_path)
    manifest = json.loads((place / MANIFEST).read_text())
    created = manifest.pop("created")
    assert created.endswith("+00:00")
    assert manifest == {
        "format": 1,
        "step": "score",
        "version": 1,
        "digest": FP.digest,
        "settings": {"hop_s": 0.1, "on": 1e-17},
        "inputs": {"bundle": "ab"},
        "versions": {"av": "14"},
        "content": tree_digest(place, (MANIFEST, "logs", RUN_LOG, JOURNAL)),
        "content_exclude": [],
    }
    assert str(tmp_path) not in (place / MANIFEST).read_text()


def test_content_is_what_was_made_not_when_where_or_how(tmp_path: Path) -> None:
    path, two = make(tmp_path / "1"), make(tmp_path / "2")
    other = make(tmp_path / "3", text="y")
    assert Shelf(tmp_path).content(path) == Shelf(tmp_path).content(two)
    assert Shelf(tmp_path).content(path) != Shelf(tmp_path).content(other)


def test_content_exclude_is_remembered(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    work = shelf.begin(FP)
    write_text(work / "result", "x")
    write_text(work / "timing.json", "1")
    place = shelf.commit(FP, ("timing.json",))
    write_text(place / "timing.json", "2")
    shelf.verify(place)
    write_text(place / "result", "y")
    with pytest.raises(ArtefactError, match="changed, added or lost"):
        shelf.verify(place)


@pytest.mark.parametrize("name", ["moved", "Käuzchen. 1.2 x", "a=b [c]"])
def test_a_moved_root_stays_valid(tmp_path: Path, name: str) -> None:
    content = Shelf(tmp_path).content(make(tmp_path / "data"))
    unfinished = Fingerprint("train", 1, {}, {})
    write_text(Shelf(tmp_path / "data").begin(unfinished) / "epoch 1", "x")
    shutil.move(tmp_path / "data", tmp_path / name)
    shelf = Shelf(tmp_path / name)
    place = shelf.find(FP)
    assert place is not None
    assert shelf.content(place) == content
    shelf.verify(place)
    assert os.listdir(shelf.begin(unfinished)) == ["epoch 1"]


def test_a_second_commit_keeps_the_first(tmp_path: Path) -> None:
    place = make(tmp_path)
    before = (place / MANIFEST).read_bytes()
    assert make(tmp_path, text="other") == place
    assert (place / MANIFEST).read_bytes() == before
    assert (place / "Tape 1.2" / "ä.txt").read_text() == "x"
    assert os.listdir(tmp_path / "score") == [FP.digest[:16]]


def test_half_a_copy_is_made_again(tmp_path: Path) -> None:
    place = make(tmp_path)
    (place / MANIFEST).unlink()
    shelf = Shelf(tmp_path)
    assert shelf.find(FP) is None
    make(tmp_path, text="whole")
    shelf.verify(place)
    assert (place / "Tape 1.2" / "ä.txt").read_text() == "whole"
    assert os.listdir(tmp_path / "score") == [FP.digest[:16]]


def test_commit_without_begin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="nothing was begun"):
        Shelf(tmp_path).commit(FP)


def test_another_artefact_in_its_place_is_not_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    place = make(tmp_path)
    other = Fingerprint("score", 1, {"other": 1}, {})
    shutil.copytree(place, place.with_name(other.digest[:16]))
    assert shelf.find(other) is None
    shelf.begin(other)
    with pytest.raises(ArtefactError, match="another artefact than its name says"):
        shelf.commit(other)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"hop_s": 0.1', '"hop_s": 0.2', "`digest` does not match its settings"),
        ('"version": 1', '"version": 2', "`digest` does not match its settings"),
        ('"bundle": "ab"', '"bundle": "ac"', "`digest` does not match its settings"),
        ('"format": 1', '"format": 2', "format 2 is not 1"),
        ('"content": "', '"content": "x', "`content` is not a digest"),
        ('"content":', '"contents":', "lacks content"),
        ('"step": "score"', '"step": "../x"', "step = "),
        ('"settings": {', '"settings": {,', "line"),
        ("{", "[{", "line"),
    ],
)
def test_a_damaged_manifest_is_an_error(tmp_path: Path, old: str, new: str, message: str) -> None:
    manifest = make(tmp_path) / MANIFEST
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new, 1))
    with pytest.raises(ArtefactError, match=message) as caught:
        Shelf(tmp_path).find(FP)
    assert str(manifest) in str(caught.value)


@pytest.mark.parametrize("change", ["edited", "added", "lost"])
def test_verify_finds_changed_files(tmp_path: Path, change: str) -> None:
    place = make(tmp_path)
    shelf = Shelf(tmp_path)
    shelf.verify(place)
    file = place / "Tape 1.2" / "ä.txt"
    if change == "lost":
        file.unlink()
    else:
        write_text(file if change == "edited" else place / "new", "z")
    with pytest.raises(ArtefactError, match="changed, added or lost"):
        shelf.verify(place)


def test_killed_anywhere_and_run_again_ends_the_same(tmp_path: Path) -> None:
    undisturbed = run_dying(THREE_UNITS, CALLS, NEVER, tmp_path / "whole")
    assert undisturbed.out == "a\nb\nc\n"
    assert undisturbed.points == 8, "three files, three marks, the manifest, the folder"
    expected = Shelf(tmp_path / "whole")
    place = expected.find(FP)
    assert place is not None
    content = expected.content(place)
    for left in range(undisturbed.points):
        root = tmp_path / str(left)
        first = run_dying(THREE_UNITS, CALLS, left, root)
        assert first.killed
        assert Shelf(root).find(FP) is None, "an artefact before its commit"
        second = run_dying(THREE_UNITS, CALLS, NEVER, root)
        done, redone = first.out.split(), second.out.split()
        assert len(set(done) & set(redone)) <= 1, "more than one unit redone"
        assert sorted(set(done) | set(redone)) == ["a", "b", "c"]
        resumed = Shelf(root)
        place = resumed.find(FP)
        assert place is not None
        assert resumed.content(place) == content
        resumed.verify(place)
        assert sorted(os.listdir(place)) == ["a.txt", MANIFEST, "b.txt", "c.txt", JOURNAL]
        assert os.listdir(root / "score") == [FP.digest[:16]]


def test_a_lock_holds_until_the_artefact_is_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, made_from = Shelf(tmp_path), Fingerprint("scores", 1, {}, {})
    publish = shelf_module.publish_folder
    refused = []

    def published(part: Path, place: Path) -> None:
        # Here another process looked for the lock, found none, and began the same work anew.
        with pytest.raises(LockedError), work_unit_lock(part, "step"):
            pass
        refused.append(part)
        publish(part, place)

    monkeypatch.setattr(shelf_module, "publish_folder", published)
    work = shelf.begin(made_from)
    with work_unit_lock(work, "step"):
        (work / "a.txt").write_text("a")
        place = shelf.commit(made_from)
    assert refused == [work]
    assert sorted(os.listdir(place)) == ["a.txt", MANIFEST]


def test_a_working_folder_begun_too_late_is_left_again(tmp_path: Path) -> None:
    shelf, made_from = Shelf(tmp_path), Fingerprint("scores", 1, {}, {})
    with work_unit_lock(shelf.begin(made_from), "step"):
        shelf.leave(made_from)
        assert not shelf.unfinished(made_from).exists()
    (shelf.begin(made_from) / "work").write_text("somebody's")
    shelf.leave(made_from)
    assert (shelf.unfinished(made_from) / "work").exists()


@pytest.mark.parametrize("name", ["table.parquet", "deep/er/some.json", "scores/a"])
def test_a_missing_file_of_an_artefact_names_the_folder_to_delete(tmp_path, name):
    place = tmp_path / "dataset" / "0123456789abcdef"
    (place / name).parent.mkdir(parents=True)
    (place / "artefact.json").write_text("{}")
    read = {".parquet": read_table, ".json": read_json, "": read_track}[Path(name).suffix]
    if read is read_track:
        (place / f"{name}.json").write_text("{}")
    with pytest.raises(ArtefactError, match=rf"delete the folder {re.escape(str(place))} and run again"):
        read(place / name)


def test_a_missing_file_elsewhere_names_no_folder(tmp_path):
    with pytest.raises(ArtefactError, match=r"some\.json is missing; restore it, or run again what wrote it"):
        read_json(tmp_path / "some.json")
