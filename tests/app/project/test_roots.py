"""Roots of a project: from its file, the local file, `--set` and the environment; and what may not be combined."""

from pathlib import Path

import pytest

from ossicle.app.project.load import Project, load_project
from ossicle.core.errors import ProjectError


def loaded(folder: Path, text: str, *overrides: str) -> Project:
    (folder / "ossicle.toml").write_text(f'base = "recipe:tapes"\n[corpus]\naudio = "audio"\n{text}')
    return load_project(folder, overrides)


def test_folders_are_searched_in_order_and_audio_last(tmp_path: Path) -> None:
    project = loaded(tmp_path, '[roots]\nslakh = ["a", "/b"]\n')
    assert project.roots.folders("slakh") == (tmp_path / "a", Path("/b"), tmp_path / "audio")
    assert project.roots.folders("recordings") == (tmp_path / "audio",)


def test_the_local_file_and_set_override_and_the_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ossicle.local.toml").write_text('[roots]\nslakh = ["mine"]\n')
    with pytest.warns(UserWarning, match="roots.slakh"):
        assert loaded(tmp_path, '[roots]\nslakh = ["a"]\n').roots.folders("slakh")[0] == tmp_path / "mine"
    (tmp_path / "ossicle.local.toml").unlink()
    monkeypatch.setenv("OSSICLE_ROOT_SLAKH", "/elsewhere")
    project = loaded(tmp_path, '[roots]\nslakh = ["a"]\n', 'roots.slakh=["b"]')
    assert project.roots.folders("slakh") == (Path("/elsewhere"), tmp_path / "b", tmp_path / "audio")


@pytest.mark.parametrize("text", ['[roots]\nslakh = "a"\n', "[roots]\nslakh = [1]\n", '[roots.slakh]\na = "b"\n'])
def test_a_root_is_a_list_of_folders(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError, match=r"ossicle\.toml: \[roots\]"):
        loaded(tmp_path, text)


@pytest.mark.parametrize(
    "text", ['annotations = "tables"', 'label_field = "folder"', 'label_fields = {ac = "on"}', 'segment_names = ["a"]']
)
def test_a_manifest_is_the_only_source_of_annotations(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectError, match="annotations come from the manifest"):
        loaded(tmp_path, f'manifest = "events.jsonl"\n{text}\n')


def test_where_roots_are_is_in_no_fingerprint(tmp_path: Path) -> None:
    from ossicle.core.settings import digestible

    first = loaded(tmp_path, 'manifest = "events.jsonl"\n[roots]\nslakh = ["a"]\n')
    second = loaded(tmp_path, 'manifest = "moved/events.jsonl"\nmax_missing = 0.5\n')
    assert digestible(first.settings.corpus) == digestible(second.settings.corpus)
    plain = loaded(tmp_path, "")
    assert not {"manifest", "manifest_total", "limit", "skip_bad"} & digestible(plain.settings.corpus).keys()
