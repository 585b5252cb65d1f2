"""Sentences of a report: key facts of a run, its warnings, and what its calibration did."""

from collections.abc import Mapping, Sequence
from typing import Any

from ossicle.corpus.splits.folds import SplitSettings
from ossicle.evaluation.criteria.criterion import Criterion
from ossicle.evaluation.ground_truth import Truth
from ossicle.metrics.calibration.out_of_fold import NONE
from ossicle.report.run_rows import worst_labels
from ossicle.report.words import count, number, signed

# More names than this fill a screen before the first figure; the tables have all labels.
_MOST_NAMES = 40


def summary(
    truth: Truth,
    figures: Mapping[str, Any],
    second: Mapping[str, Any],
    *,
    split: SplitSettings,
    criterion: Criterion,
    reads: str,
    seed: int,
    pseudo: str,
) -> dict[str, str]:
    """Return the key facts of a run in order, name to words.

    Parameters
    ----------
    figures, second
        The content of ``metrics.json``, and what the step ``second_stage`` wrote.
    reads
        What the model reads at a time, in words.
    pseudo
        What the models learned from pseudo-labels, in words; empty where they did not.
    """
    hours = sum(truth.durations_s.values()) / 3600
    frames = reads
    if "frame_grid" in figures:
        frames += f"; perfect scores on this grid would reach F1 {number(figures['frame_grid']['ceiling_f1'], 3)}"
    return {
        "labels": labels_in_words(truth.labels),
        "annotated recordings": f"{len(truth.ids)} ({hours:.2f} h)",
        "annotations": _annotations(truth),
        **({"pseudo-labels": pseudo} if pseudo else {}),
        "held out": _held_out_in_words(split, truth),
        "decision": "cross-fitted: for each fold on the out-of-fold scores of the others",
        **({} if second["kind"] == NONE else {"second stage": _second_stage(second)}),
        "match": criterion.in_words,
        "frames": frames,
        "seed": str(seed),
    }


def notes(decision: Mapping[str, Any], figures: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Return the warnings of a run, from what the steps ``decision``, ``evaluation`` and ``second_stage`` wrote."""
    warnings = [*figures["notes"], *decision["notes"], *second.get("notes", ())]
    warnings += figures.get("calibration", {}).get("notes", ())
    grid = figures.get("frame_grid", {})
    if grid.get("closer_than_a_frame"):
        warnings.append(
            f"{grid['closer_than_a_frame']} of {grid['neighbours']} neighbouring annotations of one class lie less "
            f"than a frame ({1000 * grid['hop_s']:g} ms) apart: no threshold can part them"
        )
    if drawn := worst_labels(figures):
        warnings.append(
            f"threshold curves are drawn for the {len(drawn)} of {len(figures['per_label'])} labels with the lowest "
            "F1; metrics.json has the figures of all"
        )
    return warnings


def calibrated_in_words(calibration: Mapping[str, Any] | None) -> str:
    """Return what the calibration did, from ``metrics.json``; empty without calibration."""
    if calibration is None:
        return ""
    maps = "one map for all labels" if calibration["shared"] else "a map for each label"
    return (
        f"Scores as probabilities: {calibration['kind']}, {maps}, fitted on the out-of-fold scores of "
        f"{calibration['fitted_on']}. The bundle gives events these scores; its decisions stay on the scores before, "
        "and are the same."
    )


def labels_in_words(labels: Sequence[str]) -> str:
    """Return the labels of a run; of very many their number and the first.

    >>> labels_in_words(["call", "song"])
    'call, song'
    >>> labels_in_words([f"l{n}" for n in range(1000)])[:12], labels_in_words(["x"] * 1000)[-14:]
    ('1\xa0000: l0, l', 'x and 960 more')
    """
    if len(labels) <= _MOST_NAMES:
        return ", ".join(labels)
    left = len(labels) - _MOST_NAMES
    return f"{count(len(labels))}: {', '.join(labels[:_MOST_NAMES])} and {count(left)} more"


def _annotations(truth: Truth) -> str:
    counts = [str(len(truth.annotations))]
    if truth.training_only:
        counts.append(f"{truth.training_only} more in recordings that only teach")
    if truth.reviewed:
        counts.append(f"{truth.reviewed} of all from review rounds")
    return "; ".join(counts)


def _held_out_in_words(split: SplitSettings, truth: Truth) -> str:
    held_out = split.kind.held_out_in_words(len(set(truth.folds.values())))
    return f"{held_out}, grouped by {split.group} ({len(set(truth.groups.values()))} groups)"


def _second_stage(second: Mapping[str, Any]) -> str:
    figures = second["event_f1"]
    gain, first, both = (figures[name] for name in ("gain", "first_stage", "both_stages"))
    verdict = "kept" if second["kept"] else "not kept, for the interval of its gain reaches zero"
    return (
        f"{second['kind']}, {verdict}: event F1 {number(both['value'], 3)} with it, "
        f"{number(first['value'], 3)} without, gain {signed(gain['value'], 3)} "
        f"({signed(gain['low'], 3)} to {signed(gain['high'], 3)}, paired bootstrap)"
    )
