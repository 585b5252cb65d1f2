"""Labels that the recordings at hand cannot judge, in words: no annotation, one group or fold only, no negatives."""

from collections import defaultdict
from collections.abc import Mapping

from ossicle.evaluation.ground_truth import Truth


def judging_notes(truth: Truth, *, timed: bool) -> Mapping[str, tuple[str, ...]]:
    """Return what keeps the figures of each label from saying how well it is found; labels without a note are left out.

    Parameters
    ----------
    truth
        The evaluated recordings with their folds and groups.
    timed
        Whether events are evaluated by their times. If not, a label needs recordings without it.

    Returns
    -------
    Label to sentences, in the order of the labels.
    """
    holders: dict[str, set[str]] = defaultdict(set)
    for key, label, _ in truth.notes.counts():
        holders[label].add(key)
    notes_by_label = {}
    for label in truth.labels:
        notes = [] if holders[label] else ["no evaluated recording has it, so nothing says whether it is found"]
        notes += _held_together(truth, holders[label]) if truth.choosing is None else _unchosen(truth, label)
        if not timed:
            notes += _without_negatives(truth, label, holders[label])
        if notes:
            notes_by_label[label] = tuple(notes)
    return notes_by_label


def notes_in_words(notes: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the notes as one list, each with its label.

    >>> notes_in_words({"call": ("every recording has it",)})
    ['call: every recording has it']
    """
    return [f"{label}: {note}" for label, label_notes in notes.items() for note in label_notes]


def _held_together(truth: Truth, holders: set[str]) -> list[str]:
    """Return that one fold holds all recordings with a label: the model and the threshold used there never met it."""
    groups, folds = {truth.groups[key] for key in holders}, {truth.folds[key] for key in holders}
    if len(folds) != 1:
        return []
    where = f"in group {min(groups)!r} only"
    if len(groups) > 1:
        where = f"only in recordings that fold {min(folds)} holds out"
    return [
        f"annotated {where}: the model tested there was never trained on it and its threshold was fitted without it, "
        "so its figures do not say how well the bundle finds it"
    ]


def _unchosen(truth: Truth, label: str) -> list[str]:
    """Return that none of the recordings that chose the thresholds has a label."""
    if truth.choosing is None or label in truth.choosing:
        return []
    return ["no recording of val has it: its threshold was chosen without it"]


def _without_negatives(truth: Truth, label: str, holders: set[str]) -> list[str]:
    negative = {truth.folds[key] for key in truth.ids if key not in holders and (key, label) not in truth.unknown}
    if not holders or len(negative) > 1:
        return []
    if not negative:
        return ["every evaluated recording has it: without negatives precision, F1 and ranking are undefined"]
    if truth.choosing is not None:
        return []
    return [f"only fold {min(negative)} has recordings without it, so the threshold there was fitted without negatives"]
