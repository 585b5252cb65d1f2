"""``[promotion]`` and ``[probe_gate]``: what a run must reach to be promoted, or to be trained on."""

from collections.abc import Callable, Mapping

from ossicle.core.settings import setting, settings
from ossicle.evaluation.gates.conditions import Condition, parse_condition
from ossicle.evaluation.gates.confusion_pairs import ConfusionPair, parse_pair


@settings
class PromotionSettings:
    """What ``ossicle promote`` requires of a run."""

    require: tuple[str, ...] = setting(
        default=(),
        help='conditions on figures of metrics.json, as in ["clips.accuracy >= 0.93", "clips.f1.kick > 0.9"]; a figure '
        "that is absent or undefined fails",
        digest=False,
    )
    no_worse: tuple[str, ...] = setting(
        default=(),
        help="figures, with * for any label, that must not be below those of the promoted model by more than `margin`; "
        "empty: the F1 of every label",
        digest=False,
    )
    margin: float = setting(
        default=0.02, help="largest loss of a figure of `no_worse` against the promoted model", ge=0, le=1, digest=False
    )

    def __post_init__(self) -> None:
        """Reject conditions that cannot be read."""
        for text in self.require:
            _read("require", parse_condition, text)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of ``require``."""
        return tuple(map(parse_condition, self.require))


@settings
class ProbeGateSettings:
    """What a warm-up must reach before the training that starts from it; judged on a part of the held-out clips."""

    share: float = setting(default=0.3, help="share of the held-out clips of each label", gt=0, le=1, digest=False)
    floor: int = setting(
        default=20,
        help="fewest clips of a label in this part; all of a label that has fewer",
        ge=0,
        digest=False,
    )
    seed: int = setting(default=0, help="seed of the choice of clips", ge=0, digest=False)
    accuracy: float = setting(default=0.0, help="lowest accuracy; 0: no limit", ge=0, le=1, digest=False)
    recall: float = setting(
        default=0.0, help="the recall of every label in `buckets` must be above this", ge=0, lt=1, digest=False
    )
    buckets: Mapping[str, tuple[str, ...]] = setting(
        default={},
        help='labels by group, with * for any text, as in {toms = ["tom*"]}; a group without a label fails',
        digest=False,
    )
    pairs: tuple[str, ...] = setting(
        default=(),
        help='confusions that must not grow against the previous run, as in ["kick > ride*"]: true label > predicted',
        digest=False,
    )
    growth: float = setting(
        default=0.0, help="largest growth of the share of such a confusion", ge=0, le=1, digest=False
    )

    def __post_init__(self) -> None:
        """Reject pairs that cannot be read, and empty groups."""
        for text in self.pairs:
            _read("pairs", parse_pair, text)
        for name, labels in self.buckets.items():
            if not labels or not all(label.strip() for label in labels):
                raise ValueError(f"buckets: {name!r} contains no label or an empty one; name its labels or remove it")

    @property
    def active(self) -> bool:
        """Whether there is anything to judge."""
        return self.accuracy > 0 or bool(self.buckets) or bool(self.pairs)

    @property
    def confusion_pairs(self) -> tuple[ConfusionPair, ...]:
        """The pairs of ``pairs``."""
        return tuple(map(parse_pair, self.pairs))


def _read(key: str, parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
