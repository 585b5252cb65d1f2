from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.core.errors import UsageError
from ossicle.models.encoders.beats.checkpoint import load_beats
from ossicle.models.encoders.beats.config import BeatsConfig
from ossicle.models.encoders.beats.network import Beats
from ossicle.models.encoders.beats.tail import BeatsTail, write_beats
from ossicle.models.heads.settings import HeadSettings, StageTwoSettings
from ossicle.training.heads import stage_two
from ossicle.training.heads.stage_two import fit_stage_two
from ossicle.training.heads.windows import HeadWindows

CONFIG = BeatsConfig(16, 8, 3, 16, 16, 2, 8, 2, 16, 32, False, True, 0.1, 0.0, 0.0, False)
STAGE = StageTwoSettings(epochs=2, batch_size=16, encoder_rate=1e-3)
HEAD = HeadSettings(pooling="mean", hidden=0, dropout=0.0, epochs=2, batch_size=16, unfreeze_blocks=1, stage_two=STAGE)


def network() -> Beats:
    torch.manual_seed(0)
    return Beats(CONFIG).requires_grad_(False).eval()


def windows(groups: int = 20) -> HeadWindows:
    rng = np.random.default_rng(0)
    targets = (np.arange(60) % groups % 2).astype(np.float32)[:, None]
    features = (rng.normal(size=(60, 8, 16)) + 0.3 * targets[:, :, None]).astype(np.float32)
    names = np.array([f"g{one % groups:02d}" for one in range(60)])
    return HeadWindows(features, targets, np.ones((60, 1), bool), np.ones(60, np.float32), names)


def test_the_tail_goes_on_where_the_network_stops() -> None:
    whole = network()
    energies = torch.randn(2, 32, 128)
    with torch.no_grad():
        tokens = BeatsTail(whole, 2)(whole(energies, 1))
        torch.testing.assert_close(tokens, whole(energies))
    with pytest.raises(UsageError, match="has blocks 1 to 3 to unfreeze"):
        BeatsTail(whole, 4)


def test_kept_blocks_change_and_frozen_ones_stay_bit_by_bit(tmp_path: Path) -> None:
    given = network()
    stage_two_fit = fit_stage_two(given, windows(), replace(HEAD, stage_two=replace(STAGE, margin=0.0)), 0)
    # Whether a gain is found is not what is tested here: see the next tests.
    stage_two_fit = stage_two_fit if stage_two_fit.kept else _kept(given)
    changed = {
        name
        for name, one in stage_two_fit.network.named_parameters()
        if not torch.equal(one, given.get_parameter(name))
    }
    assert changed
    assert changed <= {name for name in stage_two_fit.trained if name.startswith("encoder.")}
    assert all(name.startswith("encoder.layers.2.") for name in changed)
    assert not changed & set(stage_two_fit.frozen)
    assert set(stage_two_fit.frozen) | {name for name in stage_two_fit.trained if not name.startswith("head.")} == {
        name for name, _ in given.named_parameters()
    }
    assert not any(module.training for module in stage_two_fit.network.modules())
    write_beats(stage_two_fit.network, tmp_path / "tuned.pt")
    again = load_beats(tmp_path / "tuned.pt")
    for name, one in stage_two_fit.network.state_dict().items():
        assert torch.equal(again.state_dict()[name], one), name


def _kept(given: Beats):  # type: ignore[no-untyped-def]
    figures = iter([0.5, 0.9])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage_two, "balanced_accuracy", lambda *_: next(figures))
        return fit_stage_two(given, windows(), HEAD, 0)


@pytest.mark.parametrize(("after", "kept"), [(0.505, False), (0.51, False), (0.52, True), (0.4, False)])
def test_stage_two_is_kept_only_beyond_the_margin(monkeypatch: pytest.MonkeyPatch, after: float, kept: bool) -> None:
    figures = iter([0.5, after])
    monkeypatch.setattr(stage_two, "balanced_accuracy", lambda *_: next(figures))
    given = network()
    stage_two_fit = fit_stage_two(given, windows(), replace(HEAD, stage_two=replace(STAGE, epochs=1)), 0)
    assert (stage_two_fit.kept, stage_two_fit.stage_one, stage_two_fit.stage_two) == (kept, 0.5, after)
    assert (stage_two_fit.network is given) == (not kept)
    assert len(stage_two_fit.held_out_groups) == 4


def test_stage_two_starts_from_stage_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old system started it from scratch."""
    started = []

    def only_look(head: torch.nn.Module, tail: BeatsTail, *_: object) -> None:
        started.append([parameter.detach().clone() for parameter in head.parameters()])

    monkeypatch.setattr(stage_two, "_train", only_look)
    figures = iter([0.5, 0.9])
    monkeypatch.setattr(stage_two, "balanced_accuracy", lambda *_: next(figures))
    stage_two_fit = fit_stage_two(network(), windows(), HEAD, 0)
    assert len(started) == 2
    assert all(torch.equal(a, b) for a, b in zip(started[1], stage_two_fit.head.parameters(), strict=True))
    assert any(bool(one.abs().max() > 0.2) for one in started[1])


def test_only_the_trained_blocks_are_in_training_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old system put all of BEATs into training mode, dropout in frozen blocks included."""
    given = network()
    modes = []
    forward = BeatsTail.forward

    def watched(tail: BeatsTail, tokens: torch.Tensor) -> torch.Tensor:
        modes.append((tail.training, any(module.training for module in given.modules())))
        return forward(tail, tokens)

    monkeypatch.setattr(BeatsTail, "forward", watched)
    fit_stage_two(given, windows(), replace(HEAD, stage_two=replace(STAGE, epochs=1)), 0)
    assert (True, False) in modes
    assert not any(frozen for _, frozen in modes)


def test_too_few_groups_keep_stage_one() -> None:
    given = network()
    stage_two_fit = fit_stage_two(given, windows(groups=4), HEAD, 0)
    assert (stage_two_fit.kept, stage_two_fit.stage_one, stage_two_fit.stage_two, stage_two_fit.held_out_groups) == (
        False,
        None,
        None,
        (),
    )
    assert stage_two_fit.network is given
