"""Kinds of models as declared facts, apart from the code that needs torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LOG_MEL = "log-mel"
"""The input of networks that are trained from the start: log-mel spectrograms of the front end, in dB."""
EMBEDDINGS = "embeddings"
"""The input of heads: what an encoder makes of windows of sound."""
JOINED_FRAMES = 32
"""STFT frames that image networks join into one place in time: the stride of nearly all of them."""


@dataclass(frozen=True, slots=True)
class ModelKind:
    """What a model reads and gives, and what may be asked of it.

    Attributes
    ----------
    windows
        Whether it scores sliding windows, so that ``[chunks] window_s`` must be given; else it scores all parts of a
        chunk, and must not.
    against_windows
        Why windows cannot be read, with what to do, for a message; empty where they are.
    joined_frames
        STFT frames that make one frame of the scores.
    pretrainable
        Whether it has a backbone that others trained.
    windows_vary
        Whether `ossicle benchmark` may read it with other windows than those of its training.
    packages
        Packages it needs beside those of every training.
    reads
        Its input.
    """

    windows: bool
    against_windows: str
    joined_frames: int
    pretrainable: bool
    windows_vary: bool
    packages: tuple[str, ...] = ()
    reads: str = LOG_MEL


FRAME_WISE = ModelKind(
    windows=False,
    against_windows=(
        "model.name = {name!r} reads frame by frame, and chunks.window_s = {window_s:g} s asks for windows: set "
        'model.name = "window", or remove chunks.window_s'
    ),
    joined_frames=1,
    pretrainable=False,
    windows_vary=False,
)
IMAGE_WINDOWS = ModelKind(
    windows=True, against_windows="", joined_frames=1, pretrainable=True, windows_vary=True, packages=("timm",)
)
IMAGE_FRAMES = ModelKind(
    windows=False,
    against_windows=(
        'model.window.reading = "frames" scores every part of a chunk: set its length in chunks.core_s, and remove '
        "chunks.window_s"
    ),
    joined_frames=JOINED_FRAMES,
    pretrainable=True,
    windows_vary=True,
    packages=("timm",),
)
ENCODED_CLIPS = ModelKind(
    windows=True,
    against_windows="",
    joined_frames=1,
    pretrainable=False,
    windows_vary=False,
    reads=EMBEDDINGS,
)
"""A head on the embeddings of clips: what ``[encoder]`` makes of a project that judges recordings as a whole."""
MODEL_KINDS: Mapping[str, Mapping[str, ModelKind]] = {
    "crnn": {"": FRAME_WISE},
    "window": {"clips": IMAGE_WINDOWS, "frames": IMAGE_FRAMES},
}
"""Name in ``[model]``, and the ``reading`` in the table of that name (empty where it has none), to kind."""


def kind_in(model: Mapping[str, Any]) -> ModelKind | None:
    """Return the kind of model that a bundle's manifest states; None for models that this version does not know."""
    name = str(model.get("name", ""))
    readings = MODEL_KINDS.get(name, {})
    kind_values = model.get(name)
    stated = kind_values.get("reading") if isinstance(kind_values, Mapping) else None
    # Bundles from before there was a choice have the first.
    return readings.get(str(stated), next(iter(readings.values()), None))
