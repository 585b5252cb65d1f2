"""Make the tiny bundle that later versions must still load: tests/data/bundles/<version>/, with what it predicts.

    python scripts/make_old_bundle.py [FOLDER]

Run once for each released version (and each new ``bundle_version``), and never again for it: what is committed is what
users have. The network is untrained: the first draw whose scores leave a clear gap for every threshold, so that events
are the same in every runtime.
"""

import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn

from ossicle.artefacts.files import write_json
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.settings import digestible
from ossicle.export.onnx_graph import model_graph, waveform_graph
from ossicle.inference.decisions.decide import Decider
from ossicle.inference.scorer import Scorer
from ossicle.models.networks.registry import build_network
from ossicle.models.predictor import TorchPredictor
from ossicle.models.settings import CrnnSettings, ModelSettings
from ossicle.models.weights import save_weights

LABELS = ("call", "Zaunkönig")
FRONT = FrontEndSettings(rate=8000, n_fft=64, hop_samples=40, n_mels=8, fmin_hz=200.0, fmax_hz=4000.0)
PLAN = ChunkPlan(rate=8000, hop_samples=40, window_samples=64, core_frames=100, context_frames=10)
MODEL = ModelSettings(crnn=CrnnSettings(channels=(3,), pools=(4,), hidden=3))
_CLEAR = 1e-3


def sound() -> np.ndarray:
    """Two seconds of bursts, from whole numbers alone, so that every machine makes the same."""
    at = np.arange(16000, dtype=np.int64)
    wave = (at * at * 7919 % 6007 - 3003) * (1 + 3 * (at // 1800 % 3))
    return (wave / 32768).astype(np.float32)


def draw(seed: int) -> nn.Module:
    """An untrained network whose scores reach from near 0 to near 1."""
    torch.manual_seed(seed)
    network = build_network(MODEL, FRONT.n_mels, len(LABELS)).eval()
    with torch.no_grad():
        network.output.weight.mul_(20)
        network.output.bias.zero_()
    return network


def threshold(scores: np.ndarray) -> tuple[float, float]:
    """The middle of the widest gap between neighbouring scores of the middle 80 %, and its distance from both."""
    ordered = np.sort(scores.astype(np.float64))
    ordered = ordered[len(ordered) // 10 : len(ordered) - len(ordered) // 10]
    place = int(np.argmax(np.diff(ordered)))
    return round(float(ordered[place : place + 2].mean()), 6), float(np.diff(ordered)[place] / 2)


def main(folder: Path) -> None:
    """Write the bundle, and ``expected.json`` beside it."""
    samples = sound()
    for seed in range(1000):
        network = draw(seed)
        scorer = Scorer(TorchPredictor(network, LABELS, PLAN, FRONT))
        scores = np.concatenate([scorer.feed(samples), scorer.finish()])
        found = [threshold(scores[:, column]) for column in range(len(LABELS))]
        if min(gap for _, gap in found) > _CLEAR:
            break
    decisions = {label: Decision(on=on, off=on) for label, (on, _) in zip(LABELS, found, strict=True)}
    decider = Decider(LABELS, decisions, PLAN.hop_s)
    events = decider.feed(scores) + decider.finish(len(samples) / PLAN.rate)
    with TemporaryDirectory() as place:
        weights = Path(place) / "weights.safetensors"
        save_weights(network, weights)
        write_bundle(
            folder / "bundle",
            BundleDescription(
                name="old-bundle",
                labels=LABELS,
                plan=PLAN,
                front=FRONT,
                decisions=decisions,
                provenance={"ossicle": version("ossicle"), "made_by": "scripts/make_old_bundle.py", "seed": seed},
                metrics={
                    "figures": [{"name": "event f1", "value": 0.5, "low": 0.4, "high": 0.6, "basis": "cross-fitted"}]
                },
                split={"group": "site", "n_groups": 4, "n_folds": 4},
                model=digestible(MODEL),
            ),
            files={
                "weights.safetensors": weights,
                "model.onnx": model_graph(network, PLAN, FRONT),
                "waveform.onnx": waveform_graph(network, PLAN, FRONT),
            },
            replace=True,
        )
    rows = [[one.label, round(one.start_s, 6), round(one.end_s, 6), round(one.score, 6)] for one in events]
    write_json(folder / "expected.json", {"scores": np.round(scores.astype(np.float64), 6), "events": rows})
    print(f"{folder}: seed {seed}, {len(rows)} events, thresholds and gaps {found}")


if __name__ == "__main__":
    here = Path(__file__).resolve().parents[1] / "tests" / "data" / "bundles"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else here / version("ossicle"))
