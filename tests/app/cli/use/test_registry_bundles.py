"""Commands take ``registry:NAME@VERSION`` wherever they take the folder of a bundle, with the same results."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import ossicle as package
from ossicle.artefacts.files import tree_digest
from ossicle.bundle.registry.registry import Candidate, Judgement, Registry
from ossicle.core.errors import OssicleError

from ....made_up.untrained import PROJECT, write_tapes
from ...conftest import Commands

QUIET = ("-p", "{p}", "--progress", "none")
CORPUS = ("--corpus", "{p}/audio", "--annotations", "{p}/tables")
COMMANDS: dict[str, tuple[tuple[str, ...], str]] = {
    "predict": (("predict", "{bundle}", "{p}/audio", "-o", "{p}/out"), ""),
    "stream": (("stream", "{bundle}", "{p}/audio/siteA_1.wav"), ""),
    "live": (("live", "{bundle}", "--for-s", "0.1"), ""),
    "benchmark --model": (("benchmark", *QUIET, *CORPUS, "-m", "{bundle}"), ""),
    "[benchmark] models": (("benchmark", *QUIET, *CORPUS, "--set", 'benchmark.models=["{bundle}"]'), ""),
    "pin --bundle": (("pin", "kept", "-p", "{p}", "--bundle", "{bundle}"), "names no artefact of"),
    "[training] init_from": (
        ("train", *QUIET, "--set", "training.init_from={bundle}"),
        "learned from recordings that are held out here",
    ),
    "[ensemble] members": (
        ("ensemble", *QUIET, "--set", 'ensemble.members=[".", "{bundle}"]'),
        "there are no out-of-fold scores of it",
    ),
}
"""Every command and setting that names a bundle, and what it says about one that is of no use to it."""
FUNCTIONS: dict[str, Callable[[str], object]] = {
    "ossicle.load_bundle": package.load_bundle,
    "ossicle.read_bundle": package.read_bundle,
}


@pytest.fixture
def registry(tmp_path: Path, old_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    made = Registry(tmp_path / "registry")
    made.propose("tapes", Candidate(old_bundle, {}, {}), lambda against: Judgement({}, (), lambda number: "# x\n"))
    monkeypatch.setenv("OSSICLE_REGISTRY", str(made.root))
    return made


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "one.wav", np.random.default_rng(0).normal(0, 0.1, 16000), 8000)
    return tmp_path / "one.wav"


def test_predict_and_stream_read_a_promoted_bundle(
    registry: Registry, old_bundle: Path, recording: Path, tmp_path: Path, ossicle: Commands
) -> None:
    assert ossicle("predict", old_bundle, recording, "-o", tmp_path / "folder", "--format", "csv").code == 0
    assert ossicle("predict", "registry:tapes@1", recording, "-o", tmp_path / "named", "--format", "csv").code == 0
    assert tree_digest(tmp_path / "named") == tree_digest(tmp_path / "folder")
    assert ossicle("stream", "registry:tapes", recording).out == ossicle("stream", old_bundle, recording).out


def test_python_reads_a_promoted_bundle(registry: Registry) -> None:
    bundle = package.load_bundle("registry:tapes@current")
    assert bundle.folder == registry.version("tapes").bundle


@pytest.mark.parametrize("words", [("predict", "-o", "out"), ("stream",)])
def test_a_damaged_version_is_not_run(
    registry: Registry, recording: Path, ossicle: Commands, words: tuple[str, ...]
) -> None:
    (registry.version("tapes").path / "card.md").write_text("?")
    result = ossicle(words[0], "registry:tapes", recording, *words[1:])
    assert result.code == 2
    assert "card.md differs from its checksum" in result.err
    assert "registry rollback tapes" in result.err


def test_an_unknown_version_lists_the_known_ones(registry: Registry, recording: Path, ossicle: Commands) -> None:
    result = ossicle("stream", "registry:tapes@7", recording)
    assert result.code == 2
    assert "there is no such version" in result.err
    assert "versions: 1" in result.err


def test_live_names_a_missing_version_before_it_opens_a_device(registry: Registry, ossicle: Commands) -> None:
    result = ossicle("live", "registry:tapes@7")
    assert result.code == 2
    assert "there is no such version" in result.err


def said_by(place: str, stated: str, project: Path, ossicle: Commands) -> str:
    """What a place says about a bundle, good or bad."""
    if place in FUNCTIONS:
        result = ""
        with contextlib.suppress(OssicleError):
            FUNCTIONS[place](stated)
            return result
        with pytest.raises(OssicleError) as error:
            FUNCTIONS[place](stated)
        return str(error.value)
    words = [word.replace("{p}", str(project)).replace("{bundle}", stated) for word in COMMANDS[place][0]]
    return ossicle(*words).err


@pytest.mark.parametrize("place", [*COMMANDS, *FUNCTIONS])
def test_each_place_that_names_a_bundle_takes_a_promoted_one(
    place: str, registry: Registry, tmp_path: Path, ossicle: Commands, without_training: None
) -> None:
    project = tmp_path / "p"
    write_tapes(project, ("siteA_1", "siteB_1"))
    (project / "ossicle.toml").write_text(PROJECT)
    expected = COMMANDS.get(place, ((), ""))[1]
    for stated in ("registry:tapes@current", "registry:tapes@1", f"registry:{registry.root}/tapes@1"):
        result = said_by(place, stated, project, ossicle)
        assert expected in result
        assert "is neither" not in result
        assert "no folder" not in result
    assert "there is no such version" in said_by(place, "registry:tapes@7", project, ossicle)
    (registry.version("tapes").path / "card.md").write_text("?")
    assert "card.md differs from its checksum" in said_by(place, "registry:tapes@1", project, ossicle)
