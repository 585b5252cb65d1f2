"""Image networks of timm by name: what looks at one spectrogram and gives one vector."""

import difflib
from typing import Any

import timm
from torch import nn

from ossicle.core.errors import UsageError


def image_backbone(name: str, max_pool: bool) -> tuple[nn.Module, int]:
    """An untrained network of timm, (batch, 1, height, width) -> (batch, n_features) by global average, and n_features.

    Without ``max_pool`` the pooling after a residual network's stem is left out, which small images are too small for.
    Nothing is downloaded. Raises UsageError for names that timm lacks and for networks without such a pooling.
    """
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise UsageError(f"[model.window] backbone = {name!r} is no network of timm {timm.__version__}{hint}")
    network: Any = timm.create_model(name, pretrained=False, in_chans=1, num_classes=0)
    if not max_pool:
        if not hasattr(network, "maxpool"):
            raise UsageError(f"[model.window] backbone = {name!r} has no pooling after its stem; say max_pool = true")
        network.maxpool = nn.Identity()
    return network, int(network.num_features)
