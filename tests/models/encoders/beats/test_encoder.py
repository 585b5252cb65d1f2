from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.artefacts.files import file_digest
from ossicle.audio.encoders.settings import EncoderSettings
from ossicle.bundle.encoders.weights import VARIABLE
from ossicle.core.errors import BundleError, UsageError
from ossicle.models.encoders.beats.encoder import BeatsEncoder
from ossicle.models.encoders.table import open_torch_encoder, torch_encoder_of_spec

Made = Callable[..., Path]


def test_waveforms_give_speechbrains_tokens(checkpoint: Made, drawn: dict[str, Any], golden: dict[str, Any]) -> None:
    path = checkpoint()
    for layer, name in ((-1, 2), (2, 2), (1, 1)):
        encoder = BeatsEncoder(path, layer)
        for waveform in drawn["draw_waveforms"]():
            result = encoder.encode(waveform[None])
            assert result.dtype == np.float32
            np.testing.assert_allclose(result[0], golden[f"layer{name}_{len(waveform)}"], atol=1e-4, rtol=0)


def test_the_spec(checkpoint: Made) -> None:
    path = checkpoint()
    encoder = BeatsEncoder(path)
    spec = encoder.spec
    assert (spec.name, spec.rate, spec.dim, spec.layer) == ("beats", 16000, 48, -1)
    assert (spec.hop_s, spec.origin_s, spec.least_samples) == (0.16, 0.0875, 2800)
    assert spec.sha256 == file_digest(path)
    assert encoder.tokens_per_step == 8
    # 6 s and 2 s, as published models read them.
    for n_samples, tokens in ((96000, 296), (32000, 96), (2800, 8)):
        assert encoder.encode(np.zeros((1, n_samples), np.float32)).shape == (1, tokens, 48)
    with pytest.raises(ValueError, match="at least 2800"):
        encoder.encode(np.zeros((1, 2799), np.float32))


def test_a_waveform_does_not_depend_on_its_batch(checkpoint: Made, drawn: dict[str, Any]) -> None:
    encoder = BeatsEncoder(checkpoint())
    waveforms = drawn["draw_waveforms"]()[2][: 11 * 8000].reshape(11, 8000)
    result = encoder.encode(waveforms)
    for row in (0, 8, 10):
        np.testing.assert_allclose(result[row : row + 1], encoder.encode(waveforms[row : row + 1]), atol=1e-5)


def test_weights_that_overflow_are_named(checkpoint: Made) -> None:
    path = checkpoint({}, {"encoder.layers.1.final_layer_norm.weight": torch.full((48,), torch.inf)})
    with pytest.raises(BundleError, match=r"beats\.pt returned NaN or Inf"):
        BeatsEncoder(path).encode(np.zeros((1, 8000), np.float32))


def test_opened_by_name(checkpoint: Made) -> None:
    path = checkpoint()
    settings = EncoderSettings(name="beats", path="beats.pt", layer=1, sha256=file_digest(path))
    assert open_torch_encoder(settings, path.parent).spec == BeatsEncoder(path, 1).spec
    with pytest.raises(UsageError, match=r"layer = 3: beats\.pt has 2 layers"):
        open_torch_encoder(EncoderSettings(name="beats", path="beats.pt", layer=3), path.parent)
    with pytest.raises(BundleError, match=r"\[encoder\] sha256"):
        open_torch_encoder(EncoderSettings(name="beats", path="beats.pt", sha256="0" * 64), path.parent)
    with pytest.raises(UsageError, match="do not exist"):
        open_torch_encoder(EncoderSettings(name="beats", path="absent.pt"), path.parent)


def test_the_encoder_of_a_model_is_found_by_its_digest(checkpoint: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    path = checkpoint()
    spec = BeatsEncoder(path, 1).spec
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(BundleError, match=f"put its file into a folder and set {VARIABLE}"):
        torch_encoder_of_spec(spec)
    monkeypatch.setenv(VARIABLE, str(path.parent))
    assert torch_encoder_of_spec(spec).spec == spec
    with pytest.raises(BundleError, match="dim = 48 instead of 49"):
        torch_encoder_of_spec(replace(spec, dim=49), path)
    checkpoint({}, {"layer_norm.bias": torch.zeros(32)})
    with pytest.raises(BundleError, match="sha256"):
        torch_encoder_of_spec(spec, path)
