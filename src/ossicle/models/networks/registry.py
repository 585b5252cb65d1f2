"""Networks by name: a literal table from the name in a project file to the function that builds it."""

from collections.abc import Callable

from torch import nn

from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan, framing
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.networks.averaged import averaged
from ossicle.models.networks.crnn import Crnn
from ossicle.models.networks.score_kinds import SOFTMAX
from ossicle.models.settings import ModelSettings

Network = nn.Module
"""The result of :func:`build_network`, as a name for modules that do not import torch."""


def _crnn(model: ModelSettings, front: FrontEndSettings, plan: ChunkPlan, n_labels: int) -> nn.Module:
    if not framing(plan, front).frame_wise:
        raise UsageError('[model] name = "crnn" reads frame by frame, not windows: leave out [chunks] window_s')
    return Crnn(model.crnn, front.n_mels, n_labels)


def _window(model: ModelSettings, front: FrontEndSettings, plan: ChunkPlan, n_labels: int) -> nn.Module:
    # Imported here, because timm and torchvision take a second to import and only these networks need them.
    from ossicle.models.networks.attention import AttentionFrames, AttentionNetwork
    from ossicle.models.networks.windows import WindowNetwork

    plan_framing = framing(plan, front)
    if model.window.scores == SOFTMAX and n_labels < 2:
        raise UsageError(
            f'[model.window] scores = "softmax" chooses one label of all, and there is {n_labels}: set scores = '
            '"sigmoid", or label more classes'
        )
    if plan_framing.frame_wise:
        raise UsageError('[model] name = "window" reads windows: give [chunks] window_s and step_s')
    if not model.kind.windows:
        return AttentionFrames(model.window, plan_framing, front.n_mels, n_labels)
    network = AttentionNetwork if model.window.head == "attention" else WindowNetwork
    return network(model.window, plan_framing, front.n_mels, n_labels)


BUILDERS: dict[str, Callable[[ModelSettings, FrontEndSettings, ChunkPlan, int], nn.Module]] = {
    "crnn": _crnn,
    "window": _window,
}


def build_network(model: ModelSettings, front: FrontEndSettings, plan: ChunkPlan, n_labels: int) -> nn.Module:
    """Return a new network: chunks' spectrograms (batch, n_frames, n_mels) in dB -> logits (batch, chunk_frames,
    n_labels).

    ``n_frames`` are those of ``core.model_input.chunks.framing``, ``chunk_frames`` those of the plan. The weights fit
    every plan that the network can read.

    Parameters
    ----------
    model
        The kind of network and its settings.
    front
        The front end that makes the spectrograms.
    plan
        The chunks that it reads.
    n_labels
        Number of labels.

    Returns
    -------
    torch.nn.Module
        With ``model.networks`` above 1 the average of several.

    Raises
    ------
    UsageError
        The network cannot read such chunks.
    """
    return averaged(lambda: BUILDERS[model.name](model, front, plan, n_labels), model.networks)
