"""The attention head against its formula in NumPy, and its two readings of one set of weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan, framing, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.networks.attention import AttentionFrames, AttentionNetwork, FrequencyPool
from ossicle.models.networks.prior import rare_event_bias
from ossicle.models.networks.registry import build_network
from ossicle.models.settings import ModelSettings, WindowSettings
from ossicle.models.weights import load_weights, save_weights

FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=128, n_mels=32, fmax_hz=4000.0)
CLIPS = window_plan(FRONT, 2.05, 2.05, 2.05, exact=True)
WINDOW = WindowSettings(backbone="test_efficientnet", head="attention", hidden=16, normalise="level", dropout=0.5)


def frames_plan(chunk_frames: int) -> ChunkPlan:
    return ChunkPlan(
        rate=8000, hop_samples=32 * 128, window_samples=256 + 31 * 128, core_frames=chunk_frames, context_frames=0
    )


def build(reading: str, plan: ChunkPlan, **values: object) -> torch.nn.Module:
    torch.manual_seed(1)
    model = ModelSettings(name="window", window=replace(WINDOW, reading=reading, **values))  # type: ignore[arg-type]
    return build_network(model, FRONT, plan, 3).eval()


def test_the_head_is_the_weighted_mean_of_its_places() -> None:
    network = build("clips", CLIPS)
    assert isinstance(network, AttentionNetwork)
    result = framing(CLIPS, FRONT)
    torch.manual_seed(2)
    spectrogram = 20 * torch.randn(4, result.n_frames, 32) - 50
    with torch.no_grad():
        maps = network.backbone(network.images(spectrogram)).numpy()
        clip, places = network.heard(spectrogram)
        logits = network(spectrogram)
        weights = {name: value.numpy() for name, value in network.state_dict().items() if "backbone" not in name}
    power = weights["pool.power"]
    assert power == 3.0
    pooled = np.maximum(maps, 1e-6).__pow__(power).mean(axis=3) ** (1 / power)
    hidden = np.maximum(pooled.transpose(0, 2, 1) @ weights["hidden.weight"].T + weights["hidden.bias"], 0)
    value = hidden @ weights["output.weight"].T + weights["output.bias"]
    attention = np.exp(np.tanh(hidden @ weights["attention.weight"].T + weights["attention.bias"]))
    attention /= attention.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(places.numpy(), value, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(clip.numpy(), (attention * value).sum(axis=1), rtol=1e-4, atol=1e-5)
    assert logits.shape == (4, 1, 3)
    np.testing.assert_array_equal(logits[:, 0].numpy(), clip.numpy())


def test_both_readings_have_the_same_weights(tmp_path: Path) -> None:
    clips, frames = build("clips", CLIPS), build("frames", frames_plan(4))
    save_weights(clips, tmp_path / "weights.safetensors")
    load_weights(frames, tmp_path / "weights.safetensors")
    assert isinstance(frames, AttentionFrames)
    torch.manual_seed(3)
    spectrogram = 20 * torch.randn(2, 128, 32) - 50
    with torch.no_grad():
        heard = frames.heard(spectrogram)
        # A clip as long as the chunk, read as one.
        clip = build("clips", window_plan(FRONT, 2.05, 2.05, 2.05, exact=True))
        load_weights(clip, tmp_path / "weights.safetensors")
        rows = framing(CLIPS, FRONT).n_frames
        assert rows == 127
        assert frames(spectrogram).shape == (2, 4, 3)
        np.testing.assert_array_equal(frames(spectrogram).numpy(), heard.places.numpy())
        np.testing.assert_allclose(clip(spectrogram[:, :rows])[:, 0].numpy(), heard.clip.numpy(), atol=0.2)


@pytest.mark.parametrize("how", ["gem", "mean", "max"])
def test_pooling_over_frequency(how: str) -> None:
    maps = torch.rand(2, 5, 7, 3)
    pooled = FrequencyPool(how)(maps).detach().numpy()
    result = maps.numpy()
    expected = {"gem": (result**3).mean(axis=3) ** (1 / 3), "mean": result.mean(axis=3), "max": result.max(axis=3)}[how]
    np.testing.assert_allclose(pooled, expected.transpose(0, 2, 1), rtol=1e-4)


def test_nothing_to_hear_has_a_gradient() -> None:
    pool = FrequencyPool("gem")
    maps = torch.zeros(1, 2, 3, 4, requires_grad=True)
    pool(maps).sum().backward()
    assert maps.grad is not None
    assert torch.isfinite(maps.grad).all()
    assert torch.isfinite(pool.power.grad).all()


def test_outputs_start_at_the_share_of_their_labels() -> None:
    network = build("clips", CLIPS)
    rare_event_bias(network, torch.tensor([0.1, 0.2, 0.01]))
    network.get_submodule("output").weight.data.zero_()
    scores = torch.sigmoid(network(torch.zeros(1, framing(CLIPS, FRONT).n_frames, 32)))
    np.testing.assert_allclose(scores[0, 0].detach().numpy(), [0.1, 0.2, 0.01], rtol=1e-4)


def test_frames_need_a_network_that_divides_the_chunk_into_them() -> None:
    # Without its pooling a residual network makes two places of a frame, which are averaged.
    network = build("frames", frames_plan(4), backbone="resnet10t")
    assert isinstance(network, AttentionFrames)
    assert network.per_frame == 2
    wide = replace(FRONT, n_mels=96)
    model = ModelSettings(name="window", window=replace(WINDOW, reading="frames", backbone="inception_v3"))
    with pytest.raises(UsageError, match="places, which do not match frames of 32"):
        build_network(model, wide, frames_plan(3), 1)


def test_frames_are_refused_where_they_would_depend_on_their_chunk() -> None:
    with pytest.raises(ValueError, match="depend on the loudest of its chunk"):
        WindowSettings(head="attention", reading="frames", normalise="peak")
    with pytest.raises(ValueError, match='needs head = "attention"'):
        WindowSettings(reading="frames", normalise="level")
