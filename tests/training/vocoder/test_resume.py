"""Invariants 5 and 9: stopped anywhere and run again, a training of a vocoder ends with the same bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.typed.units import vocoder as vocoder_folder
from ossicle.artefacts.typed.units.vocoder import VocoderFolder
from ossicle.core.errors import ArtefactError
from ossicle.models.vocoder.vocoder import Vocoder
from ossicle.training.vocoder.fit import train_vocoder
from ossicle.training.vocoder.run import VocoderRun

from ...doubles.kills import NEVER, run_dying
from .made_up_speech import corpus, tiny_settings


class Stop(Exception):
    """The power cut of a test."""


SETTINGS = tiny_settings(gradient_penalty=0.1, discriminator_steps=2)
STOPS = ["before the first state", "in warm-up", "between best and state", "between state and log", "while keeping",
         "in a later epoch", "in the end", "while forgetting"]  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bytes of a training that nothing interrupts."""
    folder = tmp_path_factory.mktemp("straight")
    torch.set_num_threads(1)
    train_vocoder(corpus(), SETTINGS, folder)
    return tree_digest(folder)


def stopping(patch: pytest.MonkeyPatch, where: str) -> Callable[[int, int], None]:
    """Raise Stop at a place; returns what to call after each step."""
    at_step = {"in warm-up": 1, "in a later epoch": 5}.get(where)

    def advance(done: int, most: int) -> None:
        if done == at_step:
            raise Stop

    def stop_before(owner: Any, name: str, epoch: int) -> None:
        call = getattr(owner, name)

        def wrapped(self: Any, *given: Any, **named: Any) -> Any:
            run = self if isinstance(self, VocoderRun) else None
            if run is None or run.progress.epoch == epoch:
                raise Stop
            return call(self, *given, **named)

        patch.setattr(owner, name, wrapped)

    if where == "before the first state":
        stop_before(VocoderRun, "_save_state", 0)
    elif where == "between best and state":
        stop_before(VocoderRun, "_save_state", 2)
    elif where == "between state and log":
        stop_before(VocoderFolder, "log_epoch", 1)
    elif where == "while keeping":
        stop_before(VocoderRun, "_keep", 3)
    elif where == "in the end":
        stop_before(VocoderFolder, "forget_state", 3)
    elif where == "while forgetting":
        # Its state is gone, and other files are still there.
        remove = vocoder_folder.remove_file
        patch.setattr(vocoder_folder, "remove_file", lambda path: (remove(path), (_ for _ in ()).throw(Stop())))
    return advance


@pytest.mark.parametrize("where", STOPS)
def test_stopped_and_run_again_the_bytes_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, straight: str, where: str
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Stop):
        train_vocoder(corpus(), SETTINGS, tmp_path, advance=stopping(patch, where))
    trained: list[int] = []
    with monkeypatch.context() as patch:
        epoch = VocoderRun.epoch
        patch.setattr(
            VocoderRun, "epoch", lambda self, stepped: (trained.append(self.progress.epoch), epoch(self, stepped))
        )
        train_vocoder(corpus(), SETTINGS, tmp_path)
    assert tree_digest(tmp_path) == straight
    # At most one epoch is computed twice.
    first = {
        "in a later epoch": 2,
        "while keeping": 2,
        "between best and state": 1,
        "between state and log": 1,
        "in the end": 3,
        "while forgetting": 3,
    }
    assert trained == list(range(first.get(where, 0), 3))


@pytest.mark.parametrize("at_step", [1, 3, 4])
def test_an_epoch_longer_than_the_wall_time_goes_on_where_it_stopped(tmp_path: Path, at_step: int) -> None:
    """The state was saved once an epoch: under a wall time shorter than an epoch, a training never advanced."""
    settings = tiny_settings(gradient_penalty=0.1, discriminator_steps=2, draws=7, batch=2, epochs=2)
    train_vocoder(corpus(), settings, tmp_path / "straight")
    stopped, steps = tmp_path / "stopped", []

    def stop(done: int, most: int) -> None:
        if done == at_step:
            raise Stop

    with pytest.raises(Stop):
        train_vocoder(corpus(), settings, stopped, advance=stop, save_every_s=0.0)
    train_vocoder(corpus(), settings, stopped, advance=lambda done, most: steps.append(done))
    # The last step of an epoch is saved with what the epoch is judged by.
    assert steps == list(range(at_step if at_step % 4 else at_step - 1, 9))
    assert tree_digest(stopped) == tree_digest(tmp_path / "straight")


def test_the_state_is_saved_every_few_minutes_and_not_at_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state of a large vocoder has hundreds of megabytes."""
    seconds, saved = iter(range(0, 100_000, 100)), []
    monkeypatch.setattr("ossicle.training.vocoder.run.time.monotonic", lambda: next(seconds))
    save = VocoderRun._save_state
    monkeypatch.setattr(VocoderRun, "_save_state", lambda self: (saved.append(self.progress.steps), save(self)))
    train_vocoder(corpus(), tiny_settings(draws=20, batch=2, epochs=1), tmp_path)
    assert 2 < len(saved) < 6
    assert saved == sorted(set(saved))


def test_a_finished_training_is_not_begun_again_from_another_state(tmp_path: Path) -> None:
    """A state of other settings or segments, and a damaged one, are refused with a remedy; nothing starts over."""
    with pytest.raises(Stop):
        train_vocoder(corpus(), SETTINGS, tmp_path, log=lambda line: (_ for _ in ()).throw(Stop()))
    for changed in (tiny_settings(learning_rate=0.5), tiny_settings(seed=1)):
        with pytest.raises(ArtefactError, match=r"other settings or segments; delete the folder"):
            train_vocoder(corpus(), changed, tmp_path)
    whole = corpus()
    with pytest.raises(ArtefactError, match="other settings or segments"):
        train_vocoder(corpus(training=whole.training[1:]), SETTINGS, tmp_path)
    state = VocoderFolder(tmp_path).state_file
    state.write_bytes(state.read_bytes()[:-100])
    with pytest.raises(ArtefactError, match=r"not a readable state.*delete the folder"):
        train_vocoder(corpus(), SETTINGS, tmp_path)


def test_a_finished_training_is_found_and_not_begun_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill may come between the training and what is done with it: hours would be computed twice."""
    fit, before = train_vocoder(corpus(), SETTINGS, tmp_path), tree_digest(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(VocoderRun, "epoch", lambda self, stepped: pytest.fail("an epoch was computed again"))
        assert train_vocoder(corpus(), SETTINGS, tmp_path) == fit
    assert tree_digest(tmp_path) == before
    train_vocoder(corpus(), tiny_settings(epochs=1), tmp_path)
    assert Vocoder.read(tmp_path).about["epochs"] == 1


def test_equal_seeds_give_equal_vocoders_and_others_do_not(tmp_path: Path, straight: str) -> None:
    for name, seed in (("same", 0), ("other", 1)):
        train_vocoder(corpus(), tiny_settings(gradient_penalty=0.1, discriminator_steps=2, seed=seed), tmp_path / name)
    assert tree_digest(tmp_path / "same") == straight
    assert tree_digest(tmp_path / "other") != straight
    assert Vocoder.read(tmp_path / "same").about == Vocoder.read(tmp_path / "other").about | {
        key: Vocoder.read(tmp_path / "same").about[key]
        for key in ("log_mel", "start_log_mel", "best_epoch", "made_from")
    }


KILLED = """
import sys, pathlib, torch
sys.path.insert(0, sys.argv[2])
torch.set_num_threads(1)
from made_up_speech import corpus, tiny_settings
from ossicle.training.vocoder.fit import train_vocoder
train_vocoder(corpus(), tiny_settings(gradient_penalty=0.1, discriminator_steps=2), pathlib.Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_killed_at_every_change_of_the_disk_the_bytes_are_the_same(tmp_path: Path, straight: str) -> None:
    here = Path(__file__).parent
    points = run_dying(KILLED, ["replace", "rename"], NEVER, tmp_path / "whole", here).points
    assert points is not None
    assert points > 8
    assert tree_digest(tmp_path / "whole") == straight
    for left in sorted({round(one * (points - 1) / 4) for one in range(5)}):
        assert run_dying(KILLED, ["replace", "rename"], left, tmp_path / str(left), here).killed
        train_vocoder(corpus(), SETTINGS, tmp_path / str(left))
        assert tree_digest(tmp_path / str(left)) == straight
