"""``[states]``: which labels hide which others, and which of them gives the overall status."""

from collections.abc import Mapping, Sequence

from ossicle.core.decisions.states import StateDecision, masking_order
from ossicle.core.errors import UsageError
from ossicle.core.settings import setting, settings
from ossicle.core.text.suggestion import did_you_mean


@settings
class StatesSettings:
    """``[states]``: what is known about the labels before any score is seen."""

    masks: Mapping[str, tuple[str, ...]] = setting(
        default={},
        help='labels that hide others while they are on, as {ac = ["fridge"]}: the state of a hidden label is unknown',
    )
    priority: tuple[str, ...] = setting(
        default=(),
        help="labels of the overall status, the most important first; empty: labels that hide others, then the rest",
    )

    def __post_init__(self) -> None:
        """Reject labels that hide themselves, and a label that is listed twice."""
        masking_order(self.masks)
        if len(set(self.priority)) < len(self.priority):
            raise ValueError(f"priority = {list(self.priority)} lists a label twice")

    def decision(self, labels: Sequence[str]) -> StateDecision:
        """Return the masks and the priority for the labels of a dataset, without rules.

        Raises
        ------
        UsageError
            A mask or the priority names a label that the dataset does not have.

        Examples
        --------
        >>> StatesSettings(masks={"ac": ("fridge",)}).decision(["ac", "clock", "fridge"]).priority
        ('ac', 'clock', 'fridge')
        """
        hidden = [label for hidden_labels in self.masks.values() for label in hidden_labels]
        for key, named in (("masks", [*self.masks, *hidden]), ("priority", self.priority)):
            for label in named:
                if label not in labels:
                    raise UsageError(
                        f"[states] {key}: {label!r} is not a label of the dataset ({', '.join(labels)}); "
                        f"{did_you_mean(label, labels)}"
                    )
        order = self.priority or tuple(dict.fromkeys([*masking_order(self.masks), *labels]))
        return StateDecision(masks=dict(self.masks), priority=order)
