"""Roots: the first folder that holds a recording wins, and no path leaves its root."""

import os
import pickle
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pytest

from ossicle.artefacts.roots import Roots, parse_root_map, roots_of_environment
from ossicle.core.errors import ArtefactError, UsageError


@dataclass(frozen=True)
class Located:
    root: str
    path: str


def touched(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_variables_come_first_then_named_folders_then_the_default(tmp_path: Path) -> None:
    named, default, variable = tmp_path / "named", tmp_path / "default", tmp_path / "variable"
    roots = Roots({"e-gmd": [named]}, [default], {"E_GMD": [variable]})
    assert roots.folders("e-gmd") == (variable, named, default)
    assert roots.folders("other") == (default,)
    for folder in (default, named, variable):
        file = touched(folder / "a" / "b.wav")
        again = Roots({"e-gmd": [named]}, [default], {"E_GMD": [variable]})
        assert again.find("e-gmd", "a/b.wav") == file


def test_what_was_found_is_remembered(tmp_path: Path) -> None:
    file = touched(tmp_path / "a.wav")
    roots = Roots(default=[tmp_path])
    assert roots.find("x", "a.wav") == file
    file.unlink()
    assert roots.find("x", "a.wav") == file
    assert not roots.holds("x", "a.wav")


@pytest.mark.skipif(os.name == "nt", reason="a letter and a colon are a drive there")
def test_a_letter_and_a_colon_may_begin_a_name(tmp_path: Path) -> None:
    file = touched(tmp_path / "A:dawn.wav")
    assert Roots(default=[tmp_path]).find("x", "A:dawn.wav") == file


@pytest.mark.parametrize("path", ["../secret.wav", "a/../../secret.wav", "..\\secret.wav", ""])
def test_no_path_leaves_its_root(tmp_path: Path, path: str) -> None:
    touched(tmp_path / "secret.wav")
    (tmp_path / "root" / "a").mkdir(parents=True)
    roots = Roots(default=[tmp_path / "root"])
    assert roots.find("x", path) is None
    with pytest.raises(ArtefactError, match="leads out of its root"):
        roots.file(Located("x", path))


def test_an_absolute_path_is_not_followed(tmp_path: Path) -> None:
    assert Roots(default=[tmp_path / "root"]).find("x", str(touched(tmp_path / "secret.wav"))) is None


def test_other_unicode_forms_and_backslashes_are_searched(tmp_path: Path) -> None:
    file = touched(tmp_path / "a" / unicodedata.normalize("NFD", "ü.wav"))
    assert Roots(default=[tmp_path]).find("x", "a\\" + unicodedata.normalize("NFC", "ü.wav")) == file


def test_a_missing_recording_is_where_it_should_be(tmp_path: Path) -> None:
    assert Roots({"x": [tmp_path / "a", tmp_path / "b"]}).file(Located("x", "c.wav")) == tmp_path / "a" / "c.wav"
    with pytest.raises(UsageError, match=r"\[roots\] x = .*OSSICLE_ROOT_X"):
        Roots().file(Located("x", "c.wav"))


def test_roots_travel_to_other_processes(tmp_path: Path) -> None:
    file = touched(tmp_path / "a.wav")
    assert pickle.loads(pickle.dumps(Roots({"x": [tmp_path]}))).find("x", "a.wav") == file  # noqa: S301


def test_the_environment_names_folders_in_order() -> None:
    result = roots_of_environment({"OSSICLE_ROOT_SLAKH": "a:b", "OSSICLE_ROOT_EMPTY": "", "OSSICLE_ROOTS": "c"})
    assert result == {"SLAKH": (Path("a"), Path("b"))}


def test_a_source_that_is_given_again_gets_another_folder() -> None:
    assert parse_root_map(["a=x", "b=y=z", "a=w"], "--audio-root-map") == {
        "a": (Path("x"), Path("w")),
        "b": (Path("y=z"),),
    }


@pytest.mark.parametrize("word", ["slakh", "=x", "slakh=", " =x", ""])
def test_a_map_without_source_or_path_is_an_error(word: str) -> None:
    with pytest.raises(UsageError, match=r"--audio-root-map .* is not SOURCE=PATH"):
        parse_root_map([word], "--audio-root-map")
