import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.audio.features.kaldi_fbank import kaldi_fbank
from ossicle.models.encoders.beats.attention import position_buckets
from ossicle.models.encoders.beats.checkpoint import load_beats

Made = Callable[..., Path]


def tokens(path: Path, waveform: np.ndarray, layer: int) -> np.ndarray:
    energies = (kaldi_fbank(waveform[None] * np.float32(32768)) - 15.41663) / (2 * 6.55582)
    with torch.inference_mode():
        return load_beats(path)(torch.from_numpy(energies.astype(np.float32)), layer)[0].numpy()


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_tokens_are_speechbrains(
    checkpoint: Made, drawn: dict[str, Any], golden: dict[str, np.ndarray], which: int, layer: int
) -> None:
    waveform = drawn["draw_waveforms"]()[which]
    result = tokens(checkpoint(), waveform, layer)
    np.testing.assert_allclose(result, golden[f"layer{layer}_{len(waveform)}"], atol=1e-4, rtol=0)


@pytest.mark.parametrize("config", [{"max_distance": 1280}, {"deep_norm": False}])
def test_other_settings_of_the_file_give_other_tokens(
    checkpoint: Made, drawn: dict[str, Any], golden: dict[str, np.ndarray], config: dict[str, Any]
) -> None:
    """The class default of 1280 is wrong for published files: the settings are those in the file."""
    waveform = drawn["draw_waveforms"]()[2]
    result = tokens(checkpoint(config), waveform, 2)
    assert float(np.abs(result - golden[f"layer2_{len(waveform)}"]).max()) > 1e-3


def obvious_bucket(relative: int) -> int:
    distance, base = abs(relative), 160 if relative > 0 else 0
    if distance < 80:
        return base + distance
    return base + min(159, 80 + math.floor(math.log(distance / 80) / math.log(800 / 80) * 80))


def test_buckets_are_those_of_the_paper() -> None:
    result = position_buckets(1200, 320, 800)
    assert [int(one) for one in result[0]] == [obvious_bucket(one) for one in range(1200)]
    assert [int(one) for one in result[:, 0]] == [obvious_bucket(-one) for one in range(1200)]
    assert torch.equal(result[1:, 1:], result[:-1, :-1])


def test_gradients_reach_every_weight(checkpoint: Made) -> None:
    network = load_beats(checkpoint()).requires_grad_(True)
    network(torch.randn(1, 64, 128)).square().sum().backward()
    unreached = [name for name, one in network.named_parameters() if one.grad is None]
    assert unreached == []
