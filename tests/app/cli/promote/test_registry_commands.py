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
    said = ossicle("registry", "list")
    assert said.code == 0, said.err
    rows = {words[0]: words for line in said.out.splitlines() if (words := line.split())}
    assert rows["tapes"][1:4] == ["2", "2", "1"]
    assert rows["bells"][1:4] == ["none", "0", "1"]
    told = json.loads(ossicle("registry", "list", "--json").out)
    assert [one["name"] for one in told["names"]] == ["bells", "tapes"]
    assert told["folder"] == str(registry.root)


def test_a_registry_without_models_says_how_to_get_one(tmp_path: Path, ossicle: Commands) -> None:
    said = ossicle("registry", "list", "--folder", tmp_path / "none")
    assert said.code == 0
    assert "no model was promoted yet; see `ossicle promote --help`" in said.out


def test_versions_and_ledger_are_shown(registry: Registry, ossicle: Commands) -> None:
    said = ossicle("registry", "show", "tapes")
    assert said.code == 0, said.err
    assert "2 (current)" in said.out
    assert "p long" in said.out
    assert "accuracy is too low" in said.out
    told = json.loads(ossicle("registry", "show", "tapes", "--json").out)
    assert [(one["version"], one["current"], one["damage"]) for one in told["versions"]] == [
        (1, False, ""),
        (2, True, ""),
    ]
    assert [one["event"] for one in told["ledger"]] == ["promoted", "promoted", "refused"]


def test_a_damaged_version_is_shown_and_fails(registry: Registry, ossicle: Commands) -> None:
    (registry.version("tapes", 1).path / "card.md").write_text("?")
    said = ossicle("registry", "show", "tapes")
    assert said.code == 1
    assert "card.md differs from its checksum" in said.out


def test_a_roll_back_says_what_is_current_now(registry: Registry, ossicle: Commands) -> None:
    said = ossicle("registry", "rollback", "tapes")
    assert said.code == 0, said.err
    assert "registry:tapes@current is version 1 (before: 2)" in said.out
    assert ossicle("registry", "rollback", "tapes", "--to", "2", "--json").code == 0
    assert registry.current("tapes") == 2
    assert ossicle("registry", "rollback", "tapes", "--to", "5").code == 2


def test_which_registry_is_said_if_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ossicle: Commands
) -> None:
    monkeypatch.delenv("OSSICLE_REGISTRY", raising=False)
    monkeypatch.chdir(tmp_path)
    said = ossicle("registry", "list")
    assert said.code == 2
    assert "which registry? Set $OSSICLE_REGISTRY" in said.err


def test_an_unknown_name_is_named(registry: Registry, ossicle: Commands) -> None:
    for command in (("show", "tape"), ("rollback", "tape")):
        said = ossicle("registry", *command)
        assert said.code == 2
        assert "did you mean 'tapes'" in said.err
