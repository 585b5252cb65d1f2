"""The sliding-window network against the obvious loop: spectrogram, normalisation and forward pass of each window."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.core.errors import BundleError, UsageError
from ossicle.core.model_input.chunks import ChunkPlan, Framing, framing, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.inference.scorer import Scorer
from ossicle.models.bundled import bundled_predictor
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.models.networks.backbones import image_backbone
from ossicle.models.networks.prior import rare_event_bias
from ossicle.models.networks.registry import build_network
from ossicle.models.networks.window_images import normalise
from ossicle.models.networks.windows import WindowNetwork
from ossicle.models.predictor import TorchPredictor, load_predictor
from ossicle.models.settings import ModelSettings, WindowSettings
from ossicle.models.weights import save_weights

FRONT = FrontEndSettings(
    rate=8000, n_fft=256, hop_samples=128, n_mels=24, fmin_hz=0.0, fmax_hz=3000.0, scale="linear", preemphasis=0.98
)
LABELS = ("a", "b")
PLANS = {
    "snapped": window_plan(FRONT, 0.2, 0.05, 0.5),
    "exact": window_plan(FRONT, 0.2, 0.05, 0.5, exact=True),
}


def model(**values: object) -> ModelSettings:
    return ModelSettings(name="window", window=WindowSettings(**{"backbone": "resnet10t", **values}))


def network(plan: ChunkPlan, seed: int = 0, **values: object) -> torch.nn.Module:
    """An untrained network whose scores differ from window to window."""
    torch.manual_seed(seed)
    made = build_network(model(**values), FRONT, plan, len(LABELS)).eval()
    with torch.no_grad():
        for part in made.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.weight.uniform_(0.5, 1.5)
                part.running_mean.normal_(0, 0.1)
                part.running_var.uniform_(0.5, 1.5)
        chunks = torch.from_numpy(sound(2.3)).unfold(0, plan.chunk_samples, plan.core_samples)
        logits = made(ChunkLogMel(LogMel(FRONT), plan, FRONT)(chunks)).flatten(0, 1)
        made.output.weight /= 4 * logits.std(dim=0)[:, None]
        made.output.bias.sub_(logits.mean(dim=0)).div_(4 * logits.std(dim=0))
    return made


def sound(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise that swells, with a click and a stretch of digital silence."""
    n = round(seconds * FRONT.rate)
    wave = 0.1 * np.random.default_rng(seed).standard_normal(n) * (1 + np.sin(np.arange(n) / 900))
    wave[n // 3] = 0.9
    wave[n // 2 : n // 2 + FRONT.rate // 2] = 0
    return wave.astype(np.float32)


def slowly(made: torch.nn.Module, samples: np.ndarray, plan: ChunkPlan, how: str) -> np.ndarray:
    """Scores of every frame: each window is cut out around its frame's centre, padded, transformed and scored alone."""
    out = []
    for frame in range(plan.n_frames(len(samples))):
        first = frame * plan.hop_samples + plan.hop_samples // 2 - plan.window_samples // 2
        window = np.zeros(plan.window_samples, np.float32)
        low, high = max(first, 0), min(first + plan.window_samples, len(samples))
        window[low - first : high - first] = samples[low:high]
        with torch.no_grad():
            image = LogMel(FRONT)(torch.from_numpy(window))
            if how == "minmax":
                image = (image - image.min()) / max(float(image.max() - image.min()), 1.0)
            elif how == "level":
                image = ((image + 80) / 100).clamp(0, 1)
            out.append(torch.sigmoid(made.output(made.backbone(image[None, None])))[0].numpy())
    return np.array(out)


@pytest.mark.parametrize("how", ["minmax", "level", "none"])
@pytest.mark.parametrize("step", list(PLANS))
def test_the_window_path_is_window_by_window_scoring(step: str, how: str) -> None:
    plan = PLANS[step]
    assert framing(plan, FRONT).shared is (step == "snapped")
    made, samples = network(plan, normalise=how), sound(2.3)
    scorer = Scorer(TorchPredictor(made, LABELS, plan, FRONT), batch_chunks=3)
    got = np.concatenate([scorer.feed(samples), scorer.finish()])
    expected = slowly(made, samples, plan, how)
    assert got.shape == expected.shape == (plan.n_frames(len(samples)), 2)
    assert np.abs(got - expected).max() < 1e-5
    assert expected.std() > 0.02


@pytest.mark.parametrize("step", list(PLANS))
def test_scores_do_not_depend_on_batch_or_feed(step: str) -> None:
    predictor, samples = TorchPredictor(network(PLANS[step]), LABELS, PLANS[step], FRONT), sound(3.1)
    result = []
    for batch, feed in ((8, len(samples)), (1, 700), (3, 5000)):
        scorer = Scorer(predictor, batch)
        parts = [scorer.feed(samples[at : at + feed]) for at in range(0, len(samples), feed)]
        result.append(np.concatenate([*parts, scorer.finish()]))
    assert all(np.abs(one - result[0]).max() <= 1e-6 for one in result[1:])


def test_a_call_in_the_middle_of_a_window_is_scored_at_its_own_time() -> None:
    plan = PLANS["snapped"]
    samples = np.zeros(2 * FRONT.rate, np.float32)
    samples[FRONT.rate] = 1.0
    scorer = Scorer(TorchPredictor(network(plan), LABELS, plan, FRONT))
    scores = np.concatenate([scorer.feed(samples), scorer.finish()])[:, 0]
    other = np.flatnonzero(np.abs(scores - scores[0]) > 1e-4) * plan.hop_s
    # The windows that hear a click at 1 s lie evenly around it.
    assert abs((other[0] + other[-1] + plan.hop_s) / 2 - 1.0) <= plan.hop_s


def test_each_window_is_normalised_by_itself() -> None:
    windows = torch.stack([torch.linspace(-90, -10, 12).reshape(3, 4), torch.full((3, 4), -100.0)])
    span = normalise(windows, "minmax")
    assert (float(span[0].min()), float(span[0].max())) == (0.0, 1.0)
    # Silence has no span to divide by.
    assert torch.equal(span[1], torch.zeros(3, 4))
    assert torch.allclose(normalise(torch.tensor([[[-120.0, -80.0, -30.0, 20.0, 30.0]]]), "level"),
                          torch.tensor([[[0.0, 0.0, 0.5, 1.0, 1.0]]]))  # fmt: skip
    assert torch.equal(normalise(windows, "none"), windows)


@pytest.mark.parametrize("how", ["minmax", "peak"])
def test_a_factor_changes_nothing_and_silence_is_dark(how: str) -> None:
    windows = torch.from_numpy(np.random.default_rng(0).uniform(-70, 0, (2, 6, 5))).float()
    assert torch.allclose(normalise(windows - 40, how), normalise(windows, how), atol=1e-6)
    assert float(normalise(windows, how).max()) == 1.0
    silence = torch.full((1, 6, 5), -140.0)
    assert torch.equal(normalise(silence, how), torch.zeros(1, 6, 5))


def test_every_window_sees_its_own_rows() -> None:
    network = WindowNetwork(WindowSettings(backbone="resnet10t"), Framing(5, 2, 13, True), n_mels=8, n_labels=1)
    rows = network.images.rows.reshape(network.images.n_windows, 5)
    assert rows.tolist() == [[first + k for k in range(5)] for first in (0, 2, 4, 6, 8)]


@pytest.mark.parametrize("max_pool", [False, True])
def test_a_backbone_is_named_and_has_the_stem_of_the_known_models(max_pool: bool) -> None:
    backbone, n_features = image_backbone("resnet18", max_pool, (17, 32))
    assert backbone.conv1.weight.shape == (64, 1, 7, 7)
    assert isinstance(backbone.maxpool, torch.nn.MaxPool2d if max_pool else torch.nn.Identity)
    assert backbone(torch.zeros(2, 1, 17, 32)).shape == (2, n_features) == (2, 512)


def test_unknown_backbones_are_refused_with_their_neighbours() -> None:
    with pytest.raises(UsageError, match=r"'resnet19' is not a network of timm .*did you mean .*resnet18"):
        image_backbone("resnet19", False, (32, 32))


def test_networks_and_plans_that_do_not_fit_are_refused() -> None:
    frames = ChunkPlan(rate=8000, hop_samples=128, window_samples=256, core_frames=20, context_frames=5)
    with pytest.raises(UsageError, match="reads windows: give"):
        build_network(model(), FRONT, frames, 1)
    with pytest.raises(UsageError, match="reads frame by frame"):
        build_network(ModelSettings(), FRONT, PLANS["snapped"], 1)


def test_the_bias_starts_at_the_share_of_steps() -> None:
    made = build_network(model(), FRONT, PLANS["snapped"], 2)
    rare_event_bias(made, torch.tensor([0.1, 0.0]))
    assert torch.allclose(torch.sigmoid(made.output.bias), torch.tensor([0.1, 1e-4]), atol=1e-6)
    with pytest.raises(TypeError, match="not a linear layer"):
        rare_event_bias(torch.nn.ModuleDict({"output": torch.nn.Identity()}), torch.tensor([0.1]))


def test_weights_fit_every_step_and_window(tmp_path: Path) -> None:
    save_weights(network(PLANS["snapped"]), tmp_path / "weights.safetensors")
    for plan in (*PLANS.values(), window_plan(FRONT, 0.4, 0.1, 1.0)):
        predictor = load_predictor(tmp_path / "weights.safetensors", model(), LABELS, plan, FRONT)
        scores = predictor.predict(np.zeros((2, plan.chunk_samples), np.float32))
        assert scores.shape == (2, plan.core_frames, 2)
    with pytest.raises(BundleError, match="do not fit together"):
        bundled_predictor(
            tmp_path / "weights.safetensors",
            {"name": "window", "window": {"backbone": "resnet18"}}, LABELS, PLANS["snapped"], FRONT,
        )  # fmt: skip


def test_an_override_of_the_front_end_reaches_the_network() -> None:
    shapes = []
    for front in (FRONT, replace(FRONT, n_mels=16), replace(FRONT, n_fft=512), replace(FRONT, hop_samples=64)):
        made = build_network(model(), front, window_plan(front, 0.2, 0.05, 0.5), 1)
        shapes.append(made.images.shape)
    assert shapes == [(11, 24), (11, 16), (9, 24), (22, 24)]


def test_timm_is_imported_only_where_a_window_network_is_built() -> None:
    code = "import sys; import ossicle.models.networks.registry, ossicle.models.predictor; print('timm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("head", ["mean", "attention"])
def test_one_label_of_all_starts_at_its_share_and_needs_two_labels(head: str) -> None:
    softmax = model(scores="softmax", head=head, backbone="test_resnet")
    made = build_network(softmax, FRONT, PLANS["snapped"], 3)
    rare_event_bias(made, torch.tensor([0.3, 0.1, 0.1]))
    bias = made.get_submodule("output").bias
    assert isinstance(bias, torch.Tensor)
    torch.testing.assert_close(torch.softmax(bias, dim=0), torch.tensor([0.6, 0.2, 0.2]))
    with pytest.raises(UsageError, match='scores = "softmax" chooses one label of all, and there is 1'):
        build_network(softmax, FRONT, PLANS["snapped"], 1)
