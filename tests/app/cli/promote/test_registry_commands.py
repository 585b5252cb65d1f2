"""``ossicle registry``: list, show and roll back promoted bundles."""

import json
from pathlib import Path

import pytest

from ossicle.bundle.registry.registry import Candidate, Judgement, Registry

from ...conftest import Commands


def propose(registry: Registry, bundle: Path, *reasons: str, name: str = "tapes") -> None:
    candidate = Candidate(bundle, {}, {}, {"project": "p", "variant": "long"})
    registry.propose(name, candidate, lambda against: Judgement({}, reasons, lambda number: f"# {number}\n"))


@pytest.fixture
def registry(tmp_path: Path, old_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OSSICLE_REGISTRY", str(tmp_path / "registry"))
    made = Registry(tmp_path / "registry")
    for _ in range(2):
        propose(made, old_bundle)
    propose(made, old_bundle, "accuracy is too low")
    return made


def test_names_are_listed_with_their_current_version(registry: Registry, old_bundle: Path, ossicle: Commands) -> None:
    propose(registry, old_bundle, "no", name="bells")
    result = ossicle("registry", "list")
    assert result.code == 0, result.err
    rows = {words[0]: words for line in result.out.splitlines() if (words := line.split())}
    assert rows["tapes"][1:4] == ["2", "2", "1"]
    assert rows["bells"][1:4] == ["none", "0", "1"]
    content = json.loads(ossicle("registry", "list", "--json").out)
    assert [name["name"] for name in content["names"]] == ["bells", "tapes"]
    assert content["folder"] == str(registry.root)


def test_a_registry_without_models_says_how_to_get_one(tmp_path: Path, ossicle: Commands) -> None:
    result = ossicle("registry", "list", "--folder", tmp_path / "none")
    assert result.code == 0
    assert "no model was promoted yet; see `ossicle promote --help`" in result.out


def test_versions_and_ledger_are_shown(registry: Registry, ossicle: Commands) -> None:
    result = ossicle("registry", "show", "tapes")
    assert result.code == 0, result.err
    assert "2 (current)" in result.out
    assert "p long" in result.out
    assert "accuracy is too low" in result.out
    content = json.loads(ossicle("registry", "show", "tapes", "--json").out)
    assert [(version["version"], version["current"], version["damage"]) for version in content["versions"]] == [
        (1, False, ""),
        (2, True, ""),
    ]
    assert [one["event"] for one in content["ledger"]] == ["promoted", "promoted", "refused"]


def test_a_damaged_version_is_shown_and_fails(registry: Registry, ossicle: Commands) -> None:
    (registry.version("tapes", 1).path / "card.md").write_text("?")
    result = ossicle("registry", "show", "tapes")
    assert result.code == 1
    assert "card.md differs from its checksum" in result.out


def test_a_roll_back_says_what_is_current_now(registry: Registry, ossicle: Commands) -> None:
    result = ossicle("registry", "rollback", "tapes")
    assert result.code == 0, result.err
    assert "registry:tapes@current is version 1 (before: 2)" in result.out
    assert ossicle("registry", "rollback", "tapes", "--to", "2", "--json").code == 0
    assert registry.current("tapes") == 2
    assert ossicle("registry", "rollback", "tapes", "--to", "5").code == 2


def test_which_registry_is_said_if_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ossicle: Commands
) -> None:
    monkeypatch.delenv("OSSICLE_REGISTRY", raising=False)
    monkeypatch.chdir(tmp_path)
    result = ossicle("registry", "list")
    assert result.code == 2
    assert "which registry? Set $OSSICLE_REGISTRY" in result.err


def test_an_unknown_name_is_named(registry: Registry, ossicle: Commands) -> None:
    for command in (("show", "tape"), ("rollback", "tape")):
        result = ossicle("registry", *command)
        assert result.code == 2
        assert "did you mean 'tapes'" in result.err
