"""The figures of held-out clips as plain values, for ``clips`` in ``metrics.json``."""

from typing import Any

import numpy as np

from ossicle.evaluation.clips.judged_clips import JudgedClips
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.clip_answers.single_label import SingleLabelReport, single_label_report


def clip_figures(judged: JudgedClips, settings: EvaluationSettings) -> dict[str, Any]:
    """Return the figures of clips with one answer each.

    Parameters
    ----------
    judged
        The clips with their scores.
    settings
        Fraction, resamples and seed.
    """
    report = clip_report(judged, settings)
    of_folds = {int(fold): judged.where(judged.folds == fold).answers for fold in np.unique(judged.folds)}
    return {
        "protocol": "single-label: one annotated hit, one label; the answer is the label with the highest score",
        **report.to_json(),
        **({} if settings.fraction >= 1 else {"fraction": settings.fraction, "floor": settings.floor}),
        "per_fold": [
            {"fold": fold, "n": len(one), "accuracy": round(float((one.truth == one.answer).mean()), 6)}
            for fold, one in of_folds.items()
        ],
    }


def clip_report(judged: JudgedClips, settings: EvaluationSettings) -> SingleLabelReport:
    """Return the report of clips with one answer each."""
    clips = judged.clips
    return single_label_report(
        judged.answers, clips.labels, clips.recording, judged.groups, settings.bootstrap, settings.seed
    )
