"""Figures of simple models beside those of a network, on the same held-out clips."""

from typing import Any

import numpy as np
import polars as pl

from ossicle.evaluation.clips.judged_clips import JudgedClips
from ossicle.evaluation.settings import EvaluationSettings
from ossicle.metrics.clip_answers.answers import answers_of
from ossicle.metrics.clip_answers.paired import paired_difference
from ossicle.metrics.clip_answers.single_label import single_label_report

BASELINES = ("majority", "mfcc_forest")
_NAMES = {"majority": "majority label", "mfcc_forest": "random forest on MFCCs"}


def baseline_figures(judged: JudgedClips, scores: pl.DataFrame, settings: EvaluationSettings) -> dict[str, Any]:
    """Return ``baselines`` of ``clips`` in ``metrics.json``: for each simple model its figures and the gain over it.

    Parameters
    ----------
    judged
        The clips with the scores of the network.
    scores
        Scores of simple models: recording, onset, label, and a list of scores for each of :data:`BASELINES`.
    settings
        Resamples and seed.

    Returns
    -------
    For each simple model ``name``, ``accuracy``, ``macro_f1``, ``f1.LABEL``, and ``gain``: the network's accuracy,
    macro F1 and F1 of each label minus those of the simple model, with paired intervals.
    """
    clips, baselines = judged.clips, {}
    if len(clips) == 0:
        return {}
    table = clips.table().select("recording_id", "onset_s", "label")
    matched_rows = table.join(scores, on=table.columns, how="left", maintain_order="left")
    for key in BASELINES:
        values = np.array(matched_rows[key].to_list(), dtype=np.float32).reshape(judged.scores.shape)
        answers = answers_of(values, clips.label, judged.known)
        report_arguments = (clips.labels, clips.recording, judged.groups, settings.bootstrap, settings.seed)
        report, gain = (
            single_label_report(answers, *report_arguments),
            paired_difference(answers, judged.answers, *report_arguments),
        )
        baselines[key] = {
            "name": _NAMES[key],
            "accuracy": report.accuracy.to_json(),
            "macro_f1": report.macro_f1.to_json(),
            "f1": {label: estimate.to_json() for label, estimate in report.f1.items()},
            "gain": {
                "accuracy": gain.accuracy.to_json(),
                "macro_f1": gain.macro_f1.to_json(),
                "f1": {label: estimate.to_json() for label, estimate in gain.f1.items()},
            },
        }
    return baselines
