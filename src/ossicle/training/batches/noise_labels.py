"""Labels that are noise themselves: measured on a model's own training clips, and not trained against themselves."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.records import Clip
from ossicle.core.time import to_samples
from ossicle.metrics.noise.noise_likeness import LEAST_TEXTURE_S, LabelTexture, Texture, label_texture, texture_of
from ossicle.models.augmentation.noise_crops import NOISE_KINDS

Reader = Callable[[str, int, int], NDArray[np.float32]]
"""Returns the samples of a recording, from its id, the first sample and their number."""

PROBE_OF: Mapping[str, str] = {
    "silence": "silence",
    "steady": "white_noise",
    "hum": "hum",
    "modulated": "speech_like",
    "gusts": "white_noise",
    "drops": "white_noise",
}
"""The probe of the noise gate that asks about each kind of noise crop."""

_MOST_CLIPS = 24
_MOST_S = 10.0


def label_textures(labels: Sequence[str], read: Reader, rate: int, clips: Sequence[Clip]) -> dict[str, LabelTexture]:
    """Measure how much the sounds of each label are like noise.

    Parameters
    ----------
    labels
        The labels.
    read, rate
        Returns samples of a recording, at a rate in Hz.
    clips
        The clips that the model trains on; at most 24 targets of each label are measured, evenly spread, and at most
        the first 10 s of each.

    Returns
    -------
    dict
        By label; a label without clips resembles nothing. Clips shorter than a second count, but are not read.
    """
    textures: dict[str, LabelTexture] = {}
    clip_columns, no_rows = ClipColumns.from_clips(clips), np.zeros(0, dtype=np.int64)
    targets, rank = clip_columns.has_role("target"), clip_columns.groups.ranks[clip_columns.recording]
    for label in labels:
        label_rows = (
            np.flatnonzero(targets & (clip_columns.label == clip_columns.labels.index(label)))
            if label in clip_columns.labels
            else no_rows
        )
        label_rows = label_rows[
            np.lexsort((clip_columns.end_s[label_rows], clip_columns.start_s[label_rows], rank[label_rows]))
        ]
        places = np.unique(np.linspace(0, len(label_rows) - 1, min(len(label_rows), _MOST_CLIPS)).round().astype(int))
        chosen = [clip_columns[int(label_rows[position])] for position in places] if len(label_rows) else []
        lasting = [clip for clip in chosen if clip.end_s - clip.start_s >= LEAST_TEXTURE_S]
        textures[label] = label_texture([_texture(read, rate, clip) for clip in lasting], len(chosen))
    return textures


def known_in_noise(textures: Mapping[str, LabelTexture], labels: Sequence[str]) -> Tensor:
    """Return which labels are known to be absent in each kind of noise crop: float32 (n_kinds, n_labels).

    0 where a label's own sounds resemble the kind, so that the loss leaves it out; 1 elsewhere.
    """
    rows = [
        [0.0 if label in textures and PROBE_OF[kind] in textures[label].resembles else 1.0 for label in labels]
        for kind in NOISE_KINDS
    ]
    return torch.tensor(rows).reshape(len(NOISE_KINDS), len(labels))


def _texture(read: Reader, rate: int, clip: Clip) -> Texture:
    first = to_samples(clip.start_s, rate)
    length = min(to_samples(clip.end_s, rate) - first, to_samples(_MOST_S, rate))
    return texture_of(read(clip.recording_id, first, length), rate)
