"""Kinds of criteria as declared facts: what settings, tables and cards ask before there are any scores.

What needs scores and events (rules, figures, examples) is asked of :mod:`ossicle.evaluation.criteria`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CriterionKind:
    """One kind of criterion.

    Attributes
    ----------
    name
        Its name in ``[evaluation] criterion`` and in ``protocol.judged`` of ``metrics.json``.
    what
        What is judged, for help texts.
    counted
        What the rows of a table count.
    figure
        Template of the name of a figure, as in ``event f1``.
    timed
        Whether times of events are judged: then there are boundaries, segments, sweeps over IoU and PSDS.
    ranks_recordings
        Whether the figures without a threshold by recording (ROC AUC, cmAP, accuracy) stand beside the headline.
    momentary
        Whether moments are judged, the starts of annotations: then ends, overlap, segments and PSDS have no meaning.
    judges_clips
        Whether each annotated hit is scored as a clip of its own, which gives ``clips`` in ``metrics.json``.
    """

    name: str
    what: str
    counted: str
    figure: str
    timed: bool
    ranks_recordings: bool
    momentary: bool = False
    judges_clips: bool = False

    @property
    def clips_lead(self) -> bool:
        """Whether the figures of clips are the headline, because no times of events are judged beside them."""
        return self.judges_clips and not self.timed


EVENTS = CriterionKind(
    name="iou",
    what="events by their times",
    counted="events",
    figure="event {}",
    timed=True,
    ranks_recordings=False,
)
RECORDINGS = CriterionKind(
    name="recording",
    what="whether a label is in a recording",
    counted="labels in recordings",
    figure="{} by recording",
    timed=False,
    ranks_recordings=True,
)
ONSETS = CriterionKind(
    name="onsets",
    what="when each label starts, in whole recordings",
    counted="onsets",
    figure="onset {}",
    timed=True,
    ranks_recordings=False,
    momentary=True,
    judges_clips=True,
)
CLIPS = CriterionKind(
    name="clips",
    what="which label each annotated hit is, one answer for each",
    counted="labels in recordings",
    figure="{} by recording",
    timed=False,
    ranks_recordings=False,
    judges_clips=True,
)
CRITERION_KINDS: Mapping[str, CriterionKind] = {
    criterion_kind.name: criterion_kind for criterion_kind in (EVENTS, RECORDINGS, ONSETS, CLIPS)
}
"""Name in the project file to kind."""


def kind_in(metrics: Mapping[str, object]) -> CriterionKind:
    """Return the kind of criterion that a ``metrics.json`` was made under; files from before the key judged events."""
    protocol = metrics.get("protocol")
    name = protocol.get("judged") if isinstance(protocol, Mapping) else None
    return CRITERION_KINDS.get(str(name), EVENTS)
