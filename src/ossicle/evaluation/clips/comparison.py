"""Two runs on the same held-out clips: figures of both, their difference with paired intervals, and confusions."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.core.errors import UsageError
from ossicle.evaluation.clips.answer_table import ANSWER_KEY
from ossicle.evaluation.gates.confusion_pairs import ConfusionPair
from ossicle.metrics.clip_answers.answers import Answers, confusion_matrix
from ossicle.metrics.clip_answers.paired import PairedDifference, paired_difference, paired_share
from ossicle.metrics.clip_answers.single_label import SingleLabelReport, single_label_report
from ossicle.metrics.reports.event_report import Estimate

ANSWER_SCHEMA = {
    "recording_id": pl.String,
    "group": pl.String,
    "onset_s": pl.Float64,
    "label": pl.String,
    "answer": pl.String,
    "confidence": pl.Float64,
    "loss": pl.Float64,
}
"""Columns of an ``answers.parquet`` that a comparison reads."""
MOST_CHANGED = 10
_SECOND = "_second"


@dataclass(frozen=True, slots=True)
class PairChange:
    """A confusion in both runs: its share of the clips of the true labels, and the difference with its interval."""

    name: str
    clips: int
    before: float
    after: float
    difference: Estimate

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        shares = {"before": round(self.before, 6), "after": round(self.after, 6)}
        return {"pair": self.name, "clips": self.clips, **shares, "difference": self.difference.to_json()}


@dataclass(frozen=True, slots=True, eq=False)
class ClipComparison:
    """Two runs on the clips that both judged.

    ``only_first`` and ``only_second``: clips of one run alone, which are left out. ``confusion``: int64 (2, n_labels,
    n_labels), the counts of both, truth in rows. ``named``: the asked confusions; ``changed``: those whose counts
    differ most.
    """

    labels: tuple[str, ...]
    only_first: int
    only_second: int
    first: SingleLabelReport
    second: SingleLabelReport
    difference: PairedDifference
    confusion: NDArray[np.int64]
    named: tuple[PairChange, ...]
    changed: tuple[PairChange, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; differences are those of the second run minus the first."""
        difference = self.difference
        return {
            "clips": self.first.n,
            "only_first": self.only_first,
            "only_second": self.only_second,
            "few_groups": self.first.few_groups,
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "difference": {
                **{name: getattr(difference, name).to_json() for name in ("accuracy", "macro_f1", "loss")},
                "f1": {label: estimate.to_json() for label, estimate in difference.f1.items()},
                "recall": {label: estimate.to_json() for label, estimate in difference.recall.items()},
            },
            "confusion": {
                "labels": list(self.labels),
                "difference": (self.confusion[1] - self.confusion[0]).tolist(),
            },
            "pairs": [pair_change.to_json() for pair_change in self.named],
            "most_changed": [pair_change.to_json() for pair_change in self.changed],
        }


def same_clips(first: pl.DataFrame, second: pl.DataFrame) -> bool:
    """Return whether two tables of answers are of the same clips, in the same groups."""
    key = [*ANSWER_KEY, "group"]
    return first.select(key).sort(key).equals(second.select(key).sort(key))


def compare_answers(
    first: pl.DataFrame,
    second: pl.DataFrame,
    pairs: Sequence[ConfusionPair] = (),
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> ClipComparison:
    """Compare the answers of two runs to the clips that both judged.

    Parameters
    ----------
    first, second
        Tables with the columns of :data:`ANSWER_SCHEMA`.
    pairs
        Confusions to compare by name.
    n_bootstrap, seed
        Number of resamples, and their seed.

    Raises
    ------
    UsageError
        No clip was judged by both, or a pair names no label.
    """
    key = list(ANSWER_KEY)
    both = first.join(second, on=key, how="inner", suffix=_SECOND, maintain_order="left").sort(key)
    if len(both) == 0:
        raise UsageError(
            "the two runs judged no common clip: recordings are the same if their paths below the audio folder are, "
            "and clips if onset and label are too; run both on the same recordings and annotations"
        )
    labels = tuple(sorted({*both["label"], *both["answer"], *both[f"answer{_SECOND}"]}))
    for pair in pairs:
        if missing := pair.unknown(labels):
            raise UsageError(f"{str(pair)!r}: no label is {missing!r}; labels: {', '.join(labels)}")
    places = {label: index for index, label in enumerate(labels)}
    truth = _columns(both["label"], places)
    answers, other = (
        Answers(
            truth,
            _columns(both[f"answer{end}"], places),
            both[f"confidence{end}"].to_numpy().astype(np.float64),
            both[f"loss{end}"].to_numpy().astype(np.float64),
        )
        for end in ("", _SECOND)
    )
    ids, recording = np.unique(both["recording_id"].to_numpy(), return_inverse=True)
    of_recording = dict(zip(both["recording_id"], both["group"], strict=True))
    report_arguments = (recording.astype(np.int64), [of_recording[key] for key in ids.tolist()], n_bootstrap, seed)
    confusion = np.stack(
        [confusion_matrix(run_answers.truth, run_answers.answer, len(labels)) for run_answers in (answers, other)]
    )
    return ClipComparison(
        labels=labels,
        only_first=len(first) - len(both),
        only_second=len(second) - len(both),
        first=single_label_report(answers, labels, *report_arguments),
        second=single_label_report(other, labels, *report_arguments),
        difference=paired_difference(answers, other, labels, *report_arguments),
        confusion=confusion,
        named=tuple(_change(pair, labels, answers, other, *report_arguments) for pair in pairs),
        changed=tuple(
            _change(pair, labels, answers, other, *report_arguments) for pair in _most_changed(confusion, labels)
        ),
    )


def _columns(values: pl.Series, places: dict[str, int]) -> NDArray[np.int64]:
    return np.array([places[label] for label in values], dtype=np.int64)


def _most_changed(confusion: NDArray[np.int64], labels: Sequence[str]) -> list[ConfusionPair]:
    """Return the confusions whose counts differ most, the largest difference first."""
    change = np.abs(confusion[1] - confusion[0])
    np.fill_diagonal(change, 0)
    order = np.argsort(-change, axis=None, kind="stable")[:MOST_CHANGED]
    rows, columns = np.unravel_index(order, change.shape)
    pairs = [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if change[row, column]]
    return [ConfusionPair(labels[row], labels[column]) for row, column in pairs]


def _change(
    pair: ConfusionPair,
    labels: Sequence[str],
    first: Answers,
    second: Answers,
    recording: NDArray[np.int64],
    groups: Sequence[str],
    n_bootstrap: int,
    seed: int,
) -> PairChange:
    true, was_predicted = (
        np.array([label == pattern or fnmatchcase(label, pattern) for label in labels])
        for pattern in (pair.true, pair.predicted)
    )
    rows = true[first.truth]
    wrong = [(was_predicted[answers.answer] & (answers.answer != answers.truth))[rows] for answers in (first, second)]
    n = int(rows.sum())
    before, after = (float(is_wrong.mean()) if n else float("nan") for is_wrong in wrong)
    return PairChange(
        str(pair), n, before, after, paired_share(wrong[0], wrong[1], recording[rows], groups, n_bootstrap, seed)
    )
