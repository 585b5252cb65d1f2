import numpy as np
import pytest

from ossicle.training.quantiser import bfloat16_screen as module
from ossicle.training.quantiser.bfloat16_screen import bfloat16_screen
from ossicle.units.nearest import NearestCentre


def drawn(n: int = 400, k: int = 40, dim: int = 300, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    centres = random.standard_normal((k, dim)).astype(np.float32)
    frames = centres[random.integers(k, size=n)] * spread + random.standard_normal((n, dim)).astype(np.float32) * 3
    return frames.astype(np.float32), centres


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_the_error_is_within_its_bound(scale, offset):
    frames, centres = (one * np.float32(scale) + np.float32(offset) for one in drawn())
    scores, error = module._screen(centres)(frames)
    exact = np.square(centres.astype(float)).sum(axis=1) - 2 * frames.astype(float) @ centres.T.astype(float)
    assert np.all(np.abs(scores - exact) <= error[:, None])
    # It is a bound of roundings, not an excuse to compute everything again.
    assert np.all(error <= 0.05 * np.linalg.norm(frames, axis=1) * np.linalg.norm(centres, axis=1).max())


@pytest.mark.parametrize("spread", [0.0, 0.2, 1.0])
def test_labels_are_those_without_it(spread):
    frames, centres = drawn(spread=spread)
    screened = NearestCentre(centres, module._screen(centres)).labels(frames)
    assert screened.tolist() == NearestCentre(centres).labels(frames).tolist()


@pytest.mark.parametrize(("spread", "gave_up"), [(1.0, False), (0.0, True)])
def test_it_is_given_up_where_it_leaves_many_frames_undecided(spread, gave_up):
    frames, centres = drawn(spread=spread)
    nearest = NearestCentre(centres, counted := Counted(module._screen(centres)))
    calls = [nearest.labels(frames).tolist() for _ in range(3)]
    assert calls[0] == calls[1] == calls[2]
    assert counted.calls == (1 if gave_up else 3)


class Counted:
    def __init__(self, screen):
        self.calls, self.screen = 0, screen

    def __call__(self, frames):
        self.calls += 1
        return self.screen(frames)


def test_it_is_used_where_the_processor_has_it_and_it_is_worth_it(monkeypatch):
    _, centres = drawn()
    monkeypatch.setattr(module, "computes_in_bfloat16", lambda: True)
    assert bfloat16_screen(centres) is not None
    assert bfloat16_screen(centres[:, :64]) is None
    assert bfloat16_screen(centres[:20]) is None
    monkeypatch.setattr(module, "computes_in_bfloat16", lambda: False)
    assert bfloat16_screen(centres) is None
