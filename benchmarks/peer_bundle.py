"""Our bundle of opensoundscape's ResNet-18: the same weights, the same windows, a spectrogram of the same size.

Its images are 257 frequencies x 374 frames of 3 s at 32 kHz (512 samples, every 256), ours 374 frames x 257 bands of
the same transform (`scale = "linear"`; of its 256 bins below 16 kHz one is read twice). torchvision's ResNet-18 and
timm's have the same names.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.models import resnet18

from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.bundle.manifest import MODEL as MODEL_GRAPH
from ossicle.bundle.manifest import WEIGHTS
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import ChunkPlan, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.settings import digestible
from ossicle.export.onnx_graph import model_graph
from ossicle.models.networks.registry import build_network
from ossicle.models.settings import ModelSettings, WindowSettings
from ossicle.models.weights import save_weights

RATE, CLIP_S = 32000, 3.0
FRONT = FrontEndSettings(
    rate=RATE, n_fft=512, hop_samples=256, n_mels=257, fmin_hz=0.0, fmax_hz=16000.0, scale="linear"
)
MODEL = ModelSettings(
    name="window", window=WindowSettings(backbone="resnet18", max_pool=True, normalise="level", head="mean")
)


def plan_of(windows: int) -> ChunkPlan:
    """Chunks of so many 3 s windows, side by side."""
    return window_plan(FRONT, CLIP_S, CLIP_S, windows * CLIP_S, exact=True)


def network_of(weights: Mapping[str, NDArray[np.float32]], windows: int) -> torch.nn.Module:
    """Our network with torchvision's arrays; raises RuntimeError where a name or shape does not fit."""
    n_labels = len(weights["fc.bias"])
    network = build_network(MODEL, FRONT, plan_of(windows), n_labels).eval()
    own = {
        f"output.{name.removeprefix('fc.')}" if name.startswith("fc.") else f"backbone.{name}": torch.from_numpy(value)
        for name, value in weights.items()
    }
    network.load_state_dict(own, strict=True)
    return network


def image_logits(network: torch.nn.Module, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """What our network says of images (n, 1, bands, frames) as they are: logits (n, n_labels)."""
    with torch.inference_mode():
        tensor = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
        logits: NDArray[np.float32] = network.output(network.backbone(tensor)).numpy()
    return logits


def untrained_peer(n_labels: int) -> torch.nn.Module:
    """torchvision's ResNet-18 of images with one channel, as opensoundscape makes it, with random weights."""
    torch.manual_seed(0)
    network = resnet18(num_classes=n_labels)
    network.conv1 = torch.nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return network.eval()


def weights_of(network: torch.nn.Module) -> dict[str, NDArray[np.float32]]:
    """The arrays of torchvision's network by name."""
    return {name: value.numpy() for name, value in network.state_dict().items()}


def make_bundle(folder: Path, weights: Mapping[str, NDArray[np.float32]], windows: int) -> Path:
    """The bundle, in chunks of ``windows`` windows; no threshold is ever reached, so no table of events is written."""
    network, plan = network_of(weights, windows), plan_of(windows)
    labels = tuple(f"class{k}" for k in range(len(weights["fc.bias"])))
    stored = folder.with_suffix(".safetensors")
    save_weights(network, stored)
    write_bundle(
        folder,
        BundleDescription(
            name="resnet18-3s",
            labels=labels,
            plan=plan,
            front=FRONT,
            decisions={label: Decision(on=1.0, off=1.0) for label in labels},
            provenance={"weights": "those of opensoundscape's untrained ResNet-18"},
            model=digestible(MODEL),
        ),
        files={WEIGHTS: stored, MODEL_GRAPH: model_graph(network, plan, FRONT)},
        replace=True,
    )
    stored.unlink()
    return folder
