import hashlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts import files
from ossicle.artefacts.plain import plain
from ossicle.core.errors import ArtefactError

from ..doubles.kills import run_dying

NAMES = ["plain.json", "no suffix", "Tape 1.2. The long night.tar.gz", "Käuzchen 雀 .wav", "a" * 200 + "." + "b" * 50]

CALLS = ("fsync", "replace", "rename")
WRITES = """
from pathlib import Path
from ossicle.artefacts.files import whole_file, whole_folder
place = Path(sys.argv[2])
if sys.argv[1] == "file":
    with whole_file(place) as part:
        part.write_text("new, first half")
        dying(lambda: None)()
        part.write_text("new")
else:
    with whole_folder(place, replace=True) as part:
        (part / "a").write_text("new")
        dying(lambda: None)()
        (part / "b").write_text("new")
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_file_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path, name: str) -> None:
    with files.whole_file(tmp_path / "below" / name) as part:
        assert part.parent == tmp_path / "below"
        part.write_text("new")
        assert not (tmp_path / "below" / name).exists()
    assert os.listdir(tmp_path / "below") == [name]
    assert (tmp_path / "below" / name).read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    place = tmp_path / "f.txt"
    files.write_text(place, "old")

    def write_half() -> None:
        with files.whole_file(place) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert os.listdir(tmp_path) == ["f.txt"]
    assert place.read_text() == "old"


@pytest.mark.parametrize("before", [True, False])
def test_a_killed_file_is_old_or_nothing(tmp_path: Path, before: bool) -> None:
    place, outcomes = tmp_path / "f.txt", []
    for left in range(10):
        place.unlink(missing_ok=True)
        if before:
            place.write_text("old")
        killed = run_dying(WRITES, CALLS, left, "file", place).killed
        outcomes.append(place.read_text() if place.exists() else None)
        assert outcomes[-1] in ("new", "old" if before else None)
        if not killed:
            break
    # half written, before sync, before rename: old; between rename and folder sync: new
    assert outcomes[:3] == ["old" if before else None] * 3
    assert outcomes[3:] == ["new", "new"]
    files.sweep(tmp_path)
    assert os.listdir(tmp_path) == ["f.txt"]


def test_a_killed_folder_is_old_or_nothing_and_comes_back(tmp_path: Path) -> None:
    seen = set()
    for left in range(20):
        place = tmp_path / str(left) / "bundle.v1"
        with files.whole_folder(place) as part:
            (part / "a").write_text("old")
            (part / "b").write_text("old")
        killed = run_dying(WRITES, CALLS, left, "folder", place).killed
        texts = {p.read_text() for p in place.iterdir()} if place.exists() else set()
        assert len(texts) <= 1, "a mix of old and new"
        assert not texts or len(list(place.iterdir())) == 2, "half a folder"
        seen.add(next(iter(texts), "nothing"))
        if not killed:
            break
        if not place.exists():
            with pytest.raises(ArtefactError, match="exists already"), files.whole_folder(place):
                pass
            assert (place / "a").read_text() == "old"
    assert not killed
    assert seen == {"old", "nothing", "new"}


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which file a handle is")
def test_a_folder_is_on_the_disk_before_it_is_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def noted(handle: int) -> None:
        calls.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        real_sync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "replace", lambda one, two: (calls.append("replace"), real_replace(one, two)))
    with files.whole_folder(tmp_path / "f") as part:
        (part / "below").mkdir()
        (part / "below" / "a").write_text("x")
        (part / "b").write_text("x")
        name = part.name
    assert set(calls[: calls.index("replace")]) == {"a", "below", "b", name}
    assert calls[calls.index("replace") + 1 :] == [tmp_path.name]


def test_what_killed_writers_left_beside_a_folder_is_removed_after_a_day(tmp_path: Path) -> None:
    day_s = 86_400
    names = ("old", "young", "written")
    for name in names:
        folder = tmp_path / f".ossicle-part-{name}"
        (folder / "inner").mkdir(parents=True)
        (folder / "inner" / "a").write_text(name)
        age_s = day_s / 2 if name == "young" else 2 * day_s
        for path in (folder / "inner" / "a", folder / "inner", folder):
            os.utime(path, (time.time() - age_s,) * 2)
    # Hours of work in one file of it do not change the folder.
    os.utime(tmp_path / ".ossicle-part-written" / "inner" / "a")
    target = tmp_path / "elsewhere"
    target.mkdir()
    (tmp_path / ".ossicle-part-link").symlink_to(target)
    with files.whole_folder(tmp_path / "bundle") as part:
        (part / "a").write_text("new")
    left = {".ossicle-part-young", ".ossicle-part-written", ".ossicle-part-link", "bundle", "elsewhere"}
    assert set(os.listdir(tmp_path)) == left


def test_an_existing_folder_is_refused_and_kept(tmp_path: Path) -> None:
    place = tmp_path / "b"
    with files.whole_folder(place) as part:
        (part / "a").write_text("old")
    with pytest.raises(ArtefactError, match="exists already"), files.whole_folder(place):
        raise AssertionError("must not get here")

    def replace_half() -> None:
        with files.whole_folder(place, replace=True) as part:
            (part / "a").write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        replace_half()
    assert (place / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["b"]
    with files.whole_folder(place, replace=True) as part:
        (part / "c").write_text("new")
    assert os.listdir(place) == ["c"]
    assert os.listdir(tmp_path) == ["b"]


def test_a_failed_rename_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "b"
    with files.whole_folder(place) as part:
        (part / "a").write_text("old")
    real = os.replace

    def failing(source: Path, target: Path) -> None:
        if ".ossicle-part-" in str(source):
            raise OSError("no")
        real(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="no"), files.whole_folder(place, replace=True) as part:
        (part / "a").write_text("new")
    assert (place / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["b"]


def test_json_is_sorted_indented_and_round_trips(tmp_path: Path) -> None:
    place = tmp_path / "v.json"
    value = {"b": (1, np.float32(0.5)), "a": {"é": None, "n": np.int64(3)}, "c": np.arange(2), "d": {"z", "y"}}
    files.write_json(place, value)
    assert place.read_text(encoding="utf-8") == (
        '{\n  "a": {\n    "n": 3,\n    "é": null\n  },\n  "b": [\n    1,\n    0.5\n  ],\n'
        '  "c": [\n    0,\n    1\n  ],\n  "d": [\n    "y",\n    "z"\n  ]\n}\n'
    )
    assert files.read_json(place) == {"a": {"é": None, "n": 3}, "b": [1, 0.5], "c": [0, 1], "d": ["y", "z"]}


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": {"b": [1.0, float("nan")]}}, r"a\.b\[1\]"),
        ({"x": np.array([[0.0], [np.inf]])}, r"x\[1\]\[0\]"),
        (np.float64("-inf"), "the value"),
    ],
)
def test_nan_is_refused_by_key(tmp_path: Path, value: object, where: str) -> None:
    place = tmp_path / "v.json"
    with pytest.raises(ValueError, match=where):
        files.write_json(place, value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("value", "where"), [({"a": {1: 2}}, "a has the key 1"), ({"p": [Path("x")]}, r"p\[0\]")])
def test_what_json_cannot_say_is_refused_by_key(value: object, where: str) -> None:
    with pytest.raises(TypeError, match=where):
        plain(value)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a": 1,\n "b": }\n', "line 2"),
        (b'{"NaN": "NaN",\n\n "b": NaN}', "line 3: NaN"),
        (b"[\n-Infinity]", "line 2: -Infinity"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b"", "line 1"),
    ],
)
def test_bad_json_names_file_and_line(tmp_path: Path, raw: bytes, message: str) -> None:
    place = tmp_path / "bad one.json"
    place.write_bytes(raw)
    with pytest.raises(ArtefactError, match=message) as caught:
        files.read_json(place)
    assert str(place) in str(caught.value)


def test_missing_json_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"gone\.json is missing"):
        files.read_json(tmp_path / "gone.json")


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (5 << 20) + 3])
def test_file_digest_is_sha256(tmp_path: Path, size: int) -> None:
    raw = np.random.default_rng(size).bytes(size)
    (tmp_path / "f").write_bytes(raw)
    assert files.file_digest(tmp_path / "f") == hashlib.sha256(raw).hexdigest()


def fill(folder: Path, entries: dict[str, str]) -> Path:
    for name, text in entries.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


TREE = {"b": "1", "a/c": "2", "a.x/c": "3", "Käuzchen/Tape 1.2": "4", "logs/run.jsonl": "5"}


def test_tree_digest_knows_names_and_contents_and_nothing_else(tmp_path: Path) -> None:
    path = fill(tmp_path / "one", TREE)
    two = fill(tmp_path / "elsewhere" / "two", dict(reversed(TREE.items())))
    (two / "empty").mkdir()
    os.utime(two / "b", (0, 0))
    fill(two, {".ossicle-part-x": "junk", ".ossicle-old-y/z": "junk"})
    same = files.tree_digest(path)
    assert files.tree_digest(two) == same
    for change in ({"b": "2"}, {"a/d": "2"}, {"new": ""}):
        assert files.tree_digest(fill(tmp_path / f"changed {change}", TREE | change)) != same
    swapped = fill(tmp_path / "swapped", TREE | {"b": "2", "a/c": "1"})
    assert files.tree_digest(swapped) != same


def test_tree_digest_does_not_follow_the_order_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "one", {f"{k:02}": str(k) for k in range(20)})
    real, digests = os.walk, set()
    for step in (1, -1):

        def walk(top: Path, step: int = step) -> Iterator[tuple[str, list[str], list[str]]]:
            for base, folders, names in real(top):
                yield base, folders, sorted(names)[::step]

        monkeypatch.setattr(os, "walk", walk)
        digests.add(files.tree_digest(folder))
    assert len(digests) == 1


def test_tree_digest_excludes_by_name_and_by_predicate(tmp_path: Path) -> None:
    without = files.tree_digest(fill(tmp_path / "w", {k: v for k, v in TREE.items() if not k.startswith("logs/")}))
    full = fill(tmp_path / "full", TREE)
    assert files.tree_digest(full, ("logs",)) == without
    assert files.tree_digest(full, ("run.jsonl",)) == without
    assert files.tree_digest(full, lambda path: path == "logs/run.jsonl") == without
    assert files.tree_digest(full, ("un.jsonl",)) != without


def test_tree_digest_takes_both_unicode_forms_of_a_name(tmp_path: Path) -> None:
    composed = fill(tmp_path / "1", {"K\u00e4uzchen": "x"})
    decomposed = fill(tmp_path / "2", {"Ka\u0308uzchen": "x"})
    assert files.tree_digest(composed) == files.tree_digest(decomposed)


@pytest.mark.parametrize("target", ["a", "."])
def test_tree_digest_refuses_links(tmp_path: Path, target: str) -> None:
    folder = fill(tmp_path / "t", {"a": "x"})
    (folder / "link").symlink_to(folder / target)
    with pytest.raises(ArtefactError, match=r"link is a symbolic link"):
        files.tree_digest(folder)
