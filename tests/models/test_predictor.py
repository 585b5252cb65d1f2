import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.core.errors import ArtefactError, BundleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer
from ossicle.models.bundled import bundled_predictor
from ossicle.models.frontend import LogMel
from ossicle.models.networks.detector import CoreScores, WaveformScores
from ossicle.models.networks.registry import build_network
from ossicle.models.predictor import TorchPredictor, load_predictor, use_threads
from ossicle.models.settings import CrnnSettings, ModelSettings
from ossicle.models.weights import save_weights

FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=80, n_mels=16, fmax_hz=4000.0)
PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=20, context_frames=5)
MODEL = ModelSettings(crnn=CrnnSettings(channels=(4, 4), pools=(4, 2), hidden=4))
LABELS = ("a", "b")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_weights(build_network(MODEL, FRONT, PLAN, 2), tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


def chunks(count: int = 3) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal((count, PLAN.chunk_samples))).astype(np.float32)


def test_the_predictor_is_the_network_on_the_core(weights: Path) -> None:
    torch.manual_seed(0)
    network = build_network(MODEL, FRONT, PLAN, 2).eval()
    predictor: Predictor = load_predictor(weights, MODEL, LABELS, PLAN, FRONT)
    got = predictor.predict(chunks())
    with torch.no_grad():
        direct = torch.sigmoid(network(LogMel(FRONT)(torch.from_numpy(chunks()))))[:, 5:25]
    assert got.shape == (3, 20, 2)
    assert got.dtype == np.float32
    assert np.array_equal(got, direct.numpy())
    assert predictor.labels == LABELS
    assert predictor.plan == PLAN


def test_both_ways_to_the_scores_agree(weights: Path) -> None:
    predictor = load_predictor(weights, MODEL, LABELS, PLAN, FRONT)
    torch.manual_seed(0)
    network = build_network(MODEL, FRONT, PLAN, 2)
    with torch.no_grad():
        from_waveform = WaveformScores(network, PLAN, FRONT).eval()(torch.from_numpy(chunks())).numpy()
    assert np.abs(from_waveform - predictor.predict(chunks())).max() < 1e-4


def test_scores_do_not_depend_on_batch_or_feed(weights: Path) -> None:
    predictor = load_predictor(weights, MODEL, LABELS, PLAN, FRONT)
    alone = np.concatenate([predictor.predict(chunk[None]) for chunk in chunks()])
    assert np.abs(alone - predictor.predict(chunks())).max() <= 1e-6
    samples = np.random.default_rng(1).standard_normal(9000).astype(np.float32)
    whole, dripped = Scorer(predictor, 8), Scorer(predictor, 1)
    expected = np.concatenate([whole.feed(samples), whole.finish()])
    parts = [dripped.feed(samples[i : i + 700]) for i in range(0, len(samples), 700)]
    assert np.abs(np.concatenate([*parts, dripped.finish()]) - expected).max() <= 1e-6


def test_dropout_is_off_even_for_a_network_in_training() -> None:
    network = build_network(MODEL, FRONT, PLAN, 2).train()
    predictor = TorchPredictor(network, LABELS, PLAN, FRONT)
    assert np.array_equal(predictor.predict(chunks()), predictor.predict(chunks()))


@pytest.mark.parametrize(
    ("values", "named"),
    [({"rate": 16000}, "rate"), ({"hop_samples": 160}, "hop_samples"), ({"window_samples": 512}, "window_samples")],
)
def test_a_plan_of_other_frames_is_refused(values: dict[str, int], named: str) -> None:
    plan = ChunkPlan(**{**asdict(PLAN), **values})
    with pytest.raises(ValueError, match=f"disagree on {named}"):
        TorchPredictor(build_network(MODEL, FRONT, PLAN, 2), LABELS, plan, FRONT)


def test_the_core_leaves_the_context_out() -> None:
    plan = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=3, context_frames=2)
    frames = torch.arange(7.0).reshape(1, 7, 1)
    assert torch.equal(CoreScores(torch.nn.Identity(), plan)(frames), torch.sigmoid(frames[:, 2:5]))


def test_scores_of_one_label_of_all_sum_to_one_in_every_frame() -> None:
    class OneOfAll(torch.nn.Identity):
        scores = "softmax"

    plan = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=3, context_frames=2)
    frames = torch.arange(14.0).reshape(1, 7, 2).sin()
    result = CoreScores(OneOfAll(), plan)(frames)
    torch.testing.assert_close(result, torch.softmax(frames[:, 2:5], dim=2))
    torch.testing.assert_close(result.sum(dim=2), torch.ones(1, 3))


def test_weights_of_other_labels_are_refused(weights: Path) -> None:
    with pytest.raises(ArtefactError, match="do not fit"):
        load_predictor(weights, MODEL, ("a", "b", "c"), PLAN, FRONT)


def test_threads_are_applied() -> None:
    before = torch.get_num_threads()
    try:
        use_threads(2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def manifest(**crnn: Any) -> dict[str, Any]:
    """The model settings as JSON gives them."""
    return {"name": "crnn", "crnn": {"channels": [4, 4], "pools": [4, 2], "hidden": 4, "dropout": 0.1, **crnn}}


def test_a_bundle_gives_the_same_predictor(weights: Path) -> None:
    ours = load_predictor(weights, MODEL, LABELS, PLAN, FRONT)
    theirs = bundled_predictor(weights, manifest(), LABELS, PLAN, FRONT)
    assert np.array_equal(ours.predict(chunks()), theirs.predict(chunks()))


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ({**manifest(), "depth": 3}, r"model\.depth is not a setting"),
        (manifest(heads=8), r"model\.crnn\.heads is not a setting"),
        ({**manifest(), "name": "os.system"}, "not one of: crnn"),
        ({**manifest(), "name": 5}, r"model\.name = 5 is not of type str"),
        ({"name": "crnn", "crnn": None}, r"model\.crnn = None"),
        (manifest(hidden="48"), r"model\.crnn\.hidden = '48' is not of type int"),
        (manifest(hidden=True), r"model\.crnn\.hidden = True is not of type int"),
        (manifest(channels=4), r"model\.crnn\.channels = 4 is not a list"),
        (manifest(channels=[4, "x"]), r"model\.crnn\.channels = 'x' is not of type int"),
        (manifest(hidden=0), "at least 1"),
        (manifest(hidden=2048), "do not fit together.*by the settings"),
        (manifest(hidden=1 << 62), r"model\.crnn: hidden = \d+ must be at most 2048"),
        (manifest(channels=[1 << 30, 1 << 30]), r"model\.crnn: channels = \d+ must be at most 2048"),
        (manifest(channels=[4] * 257, pools=[1] * 257), r"model\.crnn\.channels lists 257 values"),
        (manifest(hidden=5), "do not fit together"),
        (manifest(pools=[16, 16]), "leave nothing of 16 mel bands"),
        (manifest(pools=[4]), "same number of blocks"),
        ({**manifest(), "networks": 2}, "do not fit together"),
        ({**manifest(), "networks": 1000}, "networks = 1000 must be at most 32"),
    ],
)
def test_a_bundle_with_other_settings_is_refused(weights: Path, model: dict[str, Any], named: str) -> None:
    with pytest.raises(BundleError, match=named):
        bundled_predictor(weights, model, LABELS, PLAN, FRONT)


def test_a_bundle_with_damaged_weights_or_another_grid_is_refused(weights: Path) -> None:
    plan = ChunkPlan(**{**asdict(PLAN), "hop_samples": 160})
    with pytest.raises(BundleError, match="disagree on hop_samples"):
        bundled_predictor(weights, manifest(), LABELS, plan, FRONT)
    weights.write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"weights\.safetensors"):
        bundled_predictor(weights, manifest(), LABELS, PLAN, FRONT)


def test_huge_declared_sizes_cost_no_memory(weights: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BundleError, match="do not fit together"):
        # 255 * 9 * 2048^2 weights of four bytes: 38 GB, if they were made.
        bundled_predictor(weights, manifest(channels=[2048] * 256, pools=[1] * 256), LABELS, PLAN, FRONT)
    # ru_maxrss is in kB on Linux, in bytes on macOS.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000 * (
        1024 if sys.platform == "darwin" else 1
    )
