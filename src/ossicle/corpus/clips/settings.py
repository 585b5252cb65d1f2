"""Settings of a dataset: which annotations become targets, their times and weights, and how much noise is mined."""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.core.settings import setting, settings

MOST_MERGED_S = 0.2
"""Longest time within which hits are merged: later ones are hits of their own."""


@settings
class DatasetSettings:
    """Which annotations become targets, and how much noise is mined."""

    quality_min: int = setting(
        default=0,
        help="lowest quality number of a target, for corpora in which higher is better; 0: all; unknown "
        "quality is always kept",
        ge=0,
    )
    quality_max: int = setting(
        default=0,
        help="highest quality number of a target, for corpora in which 1 is best and 4 is worst; 0: all; "
        "unknown quality is always kept",
        ge=0,
    )
    noise: str = setting(
        default="corpus",
        choices=("corpus", "beside", "recordings"),
        help="where noise clips come from: corpus: uniformly from all reviewed recordings; beside: for each "
        "target, clips of the same length from the same recording; recordings: each reviewed recording "
        "without annotations is one noise clip",
    )
    noise_per_target: float = setting(
        default=1.0,
        help="number of noise clips for each target; a fraction is the probability of one more; not with "
        "noise = recordings",
        ge=0,
    )
    before_s: float = setting(
        default=0.0,
        help="with before_s or after_s, a target clip is a window around the start of its annotation: from before_s "
        "before it to after_s after it, cut at the ends of the recording; 0 and 0: the times of the annotation",
        unit="s",
        ge=0,
        digest_default=False,
    )
    after_s: float = setting(
        default=0.0,
        help="end of that window after the start of the annotation",
        unit="s",
        ge=0,
        digest_default=False,
    )
    merge_s: float = setting(
        default=0.0,
        help="hits of a recording that start at most this long after the first of them are one target with all their "
        "labels, and later hits in its window are not part of it; 0.01 to 0.03 for drums, 0: no merging",
        unit="s",
        ge=0,
        le=MOST_MERGED_S,
        digest_default=False,
    )
    margin_s: float = setting(default=0.1, help="lowest distance of noise clips from every annotation", unit="s", ge=0)
    fallback_raw: bool = setting(
        default=True,
        help="with noise = beside: if a recording has no room, take noise from other reviewed recordings of "
        "its group (the rest of the tape)",
    )
    mined_weight: float = setting(
        default=2.0,
        help="how often false alarms saved by `ossicle dataset mine` are drawn in training, relative to other noise",
        ge=0,
    )
    mined: bool = setting(
        default=True,
        help="use the false alarms saved by `ossicle dataset mine`; false leaves a variant as it was before",
        digest=False,
    )
    weight_field: str = setting(
        default="",
        help="field, as rating, that weights how often the targets of a recording are drawn; empty: all equally often",
    )
    weight_scale: float = setting(
        default=5.0,
        help="value of that field with weight 1; a recording without a value, or with 0, also has weight 1",
        gt=0,
    )
    drop_loudest: float = setting(
        default=0.0,
        help="share of the loudest windows of each recording that no head is trained on; recipes for states only",
        unit="%",
        ge=0,
        lt=100,
        digest_default=False,
    )
    refuse_overlaps: bool = setting(
        default=False, help="make it an error if noise clips share time, or if a clip occurs twice"
    )

    @property
    def has_window(self) -> bool:
        """Whether target clips are windows around the starts of their annotations."""
        return self.before_s > 0 or self.after_s > 0


def quality_allows(quality: NDArray[np.float64], settings: DatasetSettings) -> NDArray[np.bool_]:
    """Return whether each quality, NaN if unknown, allows an annotation as a target: bool (n,)."""
    poor = (quality < settings.quality_min) | ((quality > settings.quality_max) & (settings.quality_max > 0))
    return ~poor


def possible_targets(annotations: AnnotationColumns, settings: DatasetSettings) -> AnnotationColumns:
    """Return the annotations whose quality allows them as targets."""
    if annotations.quality is None:
        return annotations
    return annotations.where(quality_allows(annotations.quality, settings))


def clip_weight(recording: Recording, settings: DatasetSettings) -> float:
    """Return the weight of a recording's targets from ``settings.weight_field``; raises UsageError for invalid
    weights.
    """
    value = recording.fields.get(settings.weight_field, "") if settings.weight_field else ""
    if not value:
        return 1.0
    try:
        weight = float(value) / settings.weight_scale
    except ValueError:
        weight = -1.0
    if not 0 <= weight < float("inf"):
        raise UsageError(
            f"dataset.weight_field = {settings.weight_field!r}: {recording.root}/{recording.path} has the value "
            f"{value!r}, which is not a number of at least 0; correct it, or leave weight_field out"
        )
    return weight or 1.0
