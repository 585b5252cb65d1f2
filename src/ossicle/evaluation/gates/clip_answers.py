"""Answers to held-out clips, to judge a part of them, and to compare two runs on the clips that both were judged on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.evaluation.clips.judged_clips import JudgedClips
from ossicle.evaluation.clips.slices import slice_of
from ossicle.evaluation.gates.probe import ProbeFigures
from ossicle.evaluation.gates.settings import ProbeGateSettings
from ossicle.metrics.clip_answers.answers import confusion_matrix

KEY = ("recording_id", "onset_s", "label")
"""What identifies a clip in any run; a recording's id comes from its path below its root."""
SCHEMA = {"recording_id": pl.String, "onset_s": pl.Float64, "label": pl.String, "answer": pl.String}


@dataclass(frozen=True, slots=True)
class ClipAnswers:
    """A row for each held-out clip: columns of :data:`SCHEMA`; ``labels``: the labels of the model."""

    table: pl.DataFrame
    labels: tuple[str, ...]

    @classmethod
    def of(cls, judged: JudgedClips) -> "ClipAnswers":
        """Return the answers to judged clips."""
        clips, names = judged.clips, np.array(judged.clips.labels, dtype=object)
        ids = np.array(clips.recording_ids, dtype=object)
        columns = {
            "recording_id": ids[clips.recording].tolist(),
            "onset_s": clips.onset_s,
            "label": names[clips.label].tolist(),
            "answer": names[judged.answers.answer].tolist(),
        }
        return cls(pl.DataFrame(columns, schema=SCHEMA), clips.labels)

    def among(self, other: "ClipAnswers") -> "ClipAnswers":
        """Return the answers to the clips that ``other`` has too."""
        return ClipAnswers(self.table.join(other.table, on=list(KEY), how="semi"), self.labels)

    def part(self, settings: ProbeGateSettings, fraction: float = 1.0) -> "ClipAnswers":
        """Return the part that the probe gate judges, stratified by label.

        Parameters
        ----------
        settings
            Share, floor and seed.
        fraction
            The share of the held-out clips that these already are.
        """
        share = min(1.0, settings.share / fraction)
        keys = zip(self.table["recording_id"].to_list(), self.table["onset_s"].to_list(), strict=True)
        names = [f"{recording_id}\0{onset_s!r}" for recording_id, onset_s in keys]
        chosen = slice_of(self._places("label"), names, share, settings.floor, settings.seed)
        return ClipAnswers(self.table.filter(pl.Series(chosen, dtype=pl.Boolean)), self.labels)

    def figures(self) -> ProbeFigures:
        """Return counts of true labels and answers."""
        return ProbeFigures(
            self.labels, confusion_matrix(self._places("label"), self._places("answer"), len(self.labels))
        )

    def _places(self, column: str) -> NDArray[np.int64]:
        places = {label: index for index, label in enumerate(self.labels)}
        return np.array([places[label] for label in self.table[column].to_list()], dtype=np.int64)


def read_answers(table: pl.DataFrame) -> ClipAnswers:
    """Return stored answers; the labels are those that occur."""
    labels = sorted({*table["label"].to_list(), *table["answer"].to_list()})
    return ClipAnswers(table.select(list(SCHEMA)), tuple(labels))


def clip_metrics(answers: ClipAnswers) -> dict[str, Any]:
    """Return accuracy, and F1 and recall of each label, as ``clips`` of ``metrics.json`` holds them."""
    figures = answers.figures()
    counts = figures.confusion
    n_right, true, answered = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    total = true + answered
    return {
        "accuracy": {"value": figures.accuracy},
        "f1": _by_label(answers.labels, 2 * n_right, total),
        "recall": _by_label(answers.labels, n_right, true),
    }


def _by_label(
    labels: tuple[str, ...], part: NDArray[np.int64], whole: NDArray[np.int64]
) -> dict[str, Mapping[str, Any]]:
    return {
        label: {"value": float(part[index] / whole[index]) if whole[index] else None}
        for index, label in enumerate(labels)
    }
