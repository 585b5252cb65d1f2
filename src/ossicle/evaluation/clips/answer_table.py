"""The answers to held-out clips as tables: all of them, the wrong ones, and the wrong ones by pair and bucket."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.core.records import Recording
from ossicle.evaluation.clips.judged_clips import JudgedClips
from ossicle.metrics.clip_answers.answers import probabilities

ANSWER_KEY = ("recording_id", "onset_s", "label")
"""What identifies a clip in any run."""
TOP = 3


def answer_table(judged: JudgedClips, recordings: Mapping[str, Recording]) -> pl.DataFrame:
    """Return a row for each clip, by recording, onset and label.

    Parameters
    ----------
    judged
        The clips with their scores.
    recordings
        The recordings by id.

    Returns
    -------
    Columns ``recording_id``, ``recording`` (its path), ``group``, ``fold``, ``onset_s``, ``label``, ``answer``,
    ``confidence``, ``loss``, ``top1`` to ``top3`` with ``p1`` to ``p3``, and, where they are known, ``source`` and
    ``bucket``.
    """
    clips, answers = judged.clips, judged.answers
    ids, names = np.array(clips.recording_ids, dtype=object), np.array(clips.labels, dtype=object)
    paths = np.array([recordings[key].path for key in clips.recording_ids], dtype=object)
    groups = np.array(judged.groups, dtype=object)
    columns: dict[str, object] = {
        "recording_id": _text(ids[clips.recording]),
        "recording": _text(paths[clips.recording]),
        "group": _text(groups[clips.recording]),
        "fold": judged.folds,
        "onset_s": clips.onset_s,
        "label": _text(names[clips.label]),
        "answer": _text(names[answers.answer]),
        "confidence": answers.confidence,
        "loss": answers.loss,
    }
    chances = probabilities(judged.scores, judged.known)
    # Sorting is stable, so of equals the first label comes first, as in the answer.
    order = np.argsort(-chances, axis=1, kind="stable")[:, :TOP]
    for rank in range(min(TOP, len(clips.labels))):
        columns[f"top{rank + 1}"] = _text(names[order[:, rank]])
        columns[f"p{rank + 1}"] = chances[np.arange(len(chances)), order[:, rank]]
    sources = judged.source_of_clips
    columns |= {} if sources is None else {"source": _text(sources)}
    columns |= {} if judged.buckets is None else {"bucket": _text(judged.buckets)}
    return pl.DataFrame(columns)


def misclassified(answers: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of :func:`answer_table` with a wrong answer, the most confident first."""
    wrong = answers.filter(pl.col("label") != pl.col("answer"))
    return wrong.sort(["confidence", *ANSWER_KEY], descending=[True, False, False, False])


def misclassified_pairs(answers: pl.DataFrame) -> pl.DataFrame:
    """Return how often each label was taken for another, by bucket and source where they are known.

    Returns
    -------
    Columns ``label``, ``answer``, ``bucket`` and ``source`` if there, ``clips``, and ``share``: their part of the clips
    of the label, of this bucket and source. The most frequent first.
    """
    by = ["label", *(name for name in ("bucket", "source") if name in answers.columns)]
    totals = answers.group_by(by).agg(pl.len().alias("total"))
    wrong = answers.filter(pl.col("label") != pl.col("answer")).group_by([*by, "answer"]).agg(pl.len().alias("clips"))
    pairs = wrong.join(totals, on=by, how="left").with_columns(
        (pl.col("clips") / pl.col("total")).alias("share"), pl.col("clips").cast(pl.Int64)
    )
    columns = ["label", "answer", *by[1:], "clips", "share"]
    return pairs.select(columns).sort(["clips", *columns[:-2]], descending=[True, *(False for _ in columns[:-2])])


def _text(values: NDArray[np.object_]) -> pl.Series:
    return pl.Series(values.tolist(), dtype=pl.String)
