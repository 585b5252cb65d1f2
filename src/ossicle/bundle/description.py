"""What ``bundle.json`` states about a model, before its files are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ossicle.core.decisions.decision import Decision
from ossicle.core.decisions.states import StateDecision
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.core.model_input.encoder_windows import EncoderWindows
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.scores.level_settings import LevelSettings
from ossicle.core.scores.pooling import MAX
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.scores.score_map import ScoreMap


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleDescription:
    """A model as its bundle describes it: everything in ``bundle.json`` but files and members.

    Attributes
    ----------
    name
        Name of the bundle, 1 to 100 letters, digits, ``.``, ``_`` and ``-``.
    labels
        Labels in the order of the model's scores.
    plan
        How sound is cut into chunks for the model.
    front
        The front end; not used by a bundle with an ``encoder``.
    decisions
        How the scores of each label become events; not used by a bundle of ``states``.
    provenance, metrics, split, model
        Plain JSON values about the origin, the figures, the split and the network.
    pool
        How scores of overlapping windows are combined; ``mean`` makes decisions for whole recordings.
    calibration
        Maps for the scores of events, by label; empty for uncalibrated scores.
    postprocess
        What follows the decision.
    encoder, encoder_windows
        What the head reads, and the windows if it does not read whole chunks; None for a network of its own.
    states
        Makes it a bundle of states, without rules if they are not fitted.
    level
        Lets the scores follow the level of a recording, by the class models among the files.
    """

    name: str
    labels: tuple[str, ...]
    plan: ChunkPlan
    front: FrontEndSettings
    decisions: Mapping[str, Decision]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    pool: str = MAX
    calibration: Mapping[str, ScoreMap] = field(default_factory=dict)
    postprocess: Postprocess = field(default_factory=Postprocess)
    encoder: EncoderSpec | None = None
    encoder_windows: EncoderWindows | None = None
    states: StateDecision | None = None
    level: LevelSettings | None = None
