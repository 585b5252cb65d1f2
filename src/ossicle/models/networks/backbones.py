"""Image networks by name, which turn one spectrogram into maps of features or one vector.

Any name in ``timm.list_models()`` works, including old names such as ``tf_efficientnetv2_s_in21k``, and the name of
Ossicle's own (``models.networks.small_cnn``). The output size for
a given image size is determined with a copy without memory, before the real network is built.
"""

import warnings
from functools import lru_cache
from typing import Any

import timm
import torch
from timm.models import get_pretrained_cfg
from torch import Tensor, nn

from ossicle.core.errors import UsageError
from ossicle.core.text.suggestion import did_you_mean
from ossicle.models.networks.small_cnn import SMALL_CNN, SmallCnn

Shape = tuple[int, int]
_NHWC = "NHWC"


def image_backbone(name: str, max_pool: bool, shape: Shape) -> tuple[nn.Module, int]:
    """Return an untrained network of timm, (batch, 1, *shape) -> (batch, n_features) by its own pooling, and
    n_features.

    Without ``max_pool`` the pooling after the stem of a residual network is left out, because small images are too
    small for it; networks without that pooling stay unchanged. Nothing is downloaded. Raises UsageError for names that
    timm does not have and for images that the network cannot read.
    """
    *_, n_features = _output_shape(name, max_pool, shape, pooled=True)
    return _create(name, max_pool, shape, pooled=True), n_features


class FeatureMaps(nn.Module):
    """A network of timm that returns maps: (batch, 1, *shape) -> (batch, n_features, *size).

    The two axes of ``size`` follow those of the image. Patch-based networks are made for images of ``shape`` and read
    no others. Raises UsageError like :func:`image_backbone`, and for networks without maps.
    """

    def __init__(self, name: str, max_pool: bool, shape: Shape) -> None:
        super().__init__()
        output_shape = _output_shape(name, max_pool, shape, pooled=False)
        self.network = _create(name, max_pool, shape, pooled=False)
        self.grid: Shape | None = None
        if len(output_shape) == 3:
            self.size = self.grid = _patches(self.network, name)
            self.n_features = output_shape[2]
        elif len(output_shape) == 4:
            self.channels_last = getattr(self.network, "output_fmt", "NCHW") == _NHWC
            self.size = output_shape[1:3] if self.channels_last else output_shape[2:]
            self.n_features = output_shape[3] if self.channels_last else output_shape[1]
        else:
            raise UsageError(f"[model.window] backbone = {name!r} returns no feature maps; use another")

    def forward(self, image: Tensor) -> Tensor:
        """Return the maps of an image."""
        features: Tensor = self.network.forward_features(image)
        if self.grid is not None:
            rows, columns = self.grid
            return features[:, -rows * columns :].transpose(1, 2).reshape(-1, self.n_features, rows, columns)
        return features.permute(0, 3, 1, 2) if self.channels_last else features


def _patches(network: Any, name: str) -> Shape:
    try:
        rows, columns = network.patch_embed.grid_size
    except (AttributeError, TypeError, ValueError):
        raise UsageError(
            f'[model.window] backbone = {name!r} returns a sequence without a grid of patches; use head = "mean"'
        ) from None
    return int(rows), int(columns)


def _create(name: str, max_pool: bool, shape: Shape, pooled: bool) -> Any:
    if name == SMALL_CNN:
        return SmallCnn(pooled)
    if not timm.is_model(name):
        hint = did_you_mean(name, [SMALL_CNN, *timm.list_models()], most=3)
        raise UsageError(f"[model.window] backbone = {name!r} is not a network of timm {timm.__version__}; {hint}")
    settings = get_pretrained_cfg(name)
    # Patch-based networks are made for one image size.
    extra: dict[str, Any] = {"img_size": shape} if settings is not None and settings.fixed_input_size else {}
    if not pooled:
        extra["global_pool"] = ""
    with warnings.catch_warnings():
        # Old projects contain old names, which timm maps to new ones.
        warnings.filterwarnings("ignore", message="Mapping deprecated model name")
        network: Any = timm.create_model(name, pretrained=False, in_chans=1, num_classes=0, **extra)
    if not max_pool and hasattr(network, "maxpool"):
        network.maxpool = nn.Identity()
    return network


@lru_cache(maxsize=64)
def _output_shape(name: str, max_pool: bool, shape: Shape, pooled: bool) -> tuple[int, ...]:
    """Return the shape of the network's output for two images."""
    try:
        with torch.device("meta"), torch.no_grad():
            network = _create(name, max_pool, shape, pooled).eval()
            image = torch.zeros(2, 1, *shape)
            output = network(image) if pooled else network.forward_features(image)
    except UsageError:
        raise
    except Exception as error:  # each network rejects sizes in its own way
        first_line = str(error).split("\n", 1)[0]
        raise UsageError(
            f"[model.window] backbone = {name!r} cannot read images of {shape[0]} frames x {shape[1]} bands: "
            f"{first_line}; choose another front end, window or network"
        ) from error
    return tuple(output.shape)
