"""The figures of held-out clips as plain values, for ``clips`` in ``metrics.json``."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.evaluation.clips.judged_clips import JudgedClips
from ossicle.evaluation.clips.simultaneous import SIMULTANEOUS_S, merged_clips
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.clip_answers.multi_label import multi_label_report
from ossicle.metrics.clip_answers.single_label import SingleLabelReport, single_label_report


def clip_figures(judged: JudgedClips, choosing: JudgedClips, settings: EvaluationSettings) -> dict[str, Any]:
    """Return the figures of clips: one answer each, by fold, source and bucket, and those of simultaneous hits.

    Parameters
    ----------
    judged
        The clips that are evaluated, with their scores.
    choosing
        All held-out clips: those of the other folds choose the thresholds of the multi-label figures.
    settings
        Fraction, resamples and seed.
    """
    report, sources = clip_report(judged, settings), judged.source_of_clips
    parts = {
        "per_source": {} if sources is None else _figures_by_name(judged, sources, settings),
        "per_bucket": {} if judged.buckets is None else _figures_by_name(judged, judged.buckets, settings),
    }
    folds = [(int(fold), judged.where(judged.folds == fold).answers) for fold in np.unique(judged.folds)]
    return {
        "protocol": "single-label: one annotated hit, one label; the answer is the label with the highest score",
        **report.to_json(),
        **({} if settings.fraction >= 1 else {"fraction": settings.fraction, "floor": settings.floor}),
        "per_fold": [
            {"fold": fold, "n": len(answers), "accuracy": round(float((answers.truth == answers.answer).mean()), 6)}
            for fold, answers in folds
        ],
        **{name: figures_of_part for name, figures_of_part in parts.items() if figures_of_part},
        **_multi_label(judged, choosing, settings),
    }


def clip_report(judged: JudgedClips, settings: EvaluationSettings) -> SingleLabelReport:
    """Return the report of clips with one answer each."""
    clips = judged.clips
    return single_label_report(
        judged.answers, clips.labels, clips.recording, judged.groups, settings.bootstrap, settings.seed
    )


def _figures_by_name(judged: JudgedClips, names: NDArray[np.object_], settings: EvaluationSettings) -> dict[str, Any]:
    figures = {}
    for name in sorted(set(names.tolist())):
        report = clip_report(judged.where(names == name), settings)
        figures[str(name)] = {
            "n": report.n,
            "accuracy": report.accuracy.to_json(),
            "macro_f1": report.macro_f1.to_json(),
            "support": {label: n for label, n in report.support.items() if n},
        }
    return figures


def _multi_label(judged: JudgedClips, choosing: JudgedClips, settings: EvaluationSettings) -> dict[str, Any]:
    """Return ``multi_label``, the figures of simultaneous hits as one clip; nothing where no hits are simultaneous.

    A fraction of the hits lacks some that sound at the same time, so it has none either.
    """
    if settings.fraction < 1:
        return {}
    # Places of recordings are those of `choosing`, which has them all.
    items = merged_clips(choosing)
    if not (items.targets.sum(axis=1) > 1).any():
        return {}
    report = multi_label_report(
        items,
        choosing.clips.labels,
        sorted(set(judged.folds.tolist())),
        choosing.groups,
        settings.bootstrap,
        settings.seed,
    )
    protocol = (
        f"multi-label: hits within {1000 * SIMULTANEOUS_S:g} ms of the first are one clip with all their labels; a "
        "label is predicted where its score reaches the threshold of best F1 on the clips of the other folds"
    )
    return {"multi_label": {"protocol": protocol, "within_s": SIMULTANEOUS_S, **report.to_json()}}
