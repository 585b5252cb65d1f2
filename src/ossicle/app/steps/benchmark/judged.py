"""Select what is evaluated: the labels, the recordings, and the scores within examined stretches."""

from collections.abc import Collection, Sequence

import numpy as np

from ossicle.app.project.tables.benchmark import BenchmarkSettings
from ossicle.app.steps.benchmark.index import BenchmarkTruth
from ossicle.app.steps.benchmark.models import Opened
from ossicle.core.errors import UsageError
from ossicle.evaluation.figures.benchmark import Judging

_MOST_NAMED = 5


def judged_labels(truth: BenchmarkTruth, opened: Opened, chosen_labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels to evaluate, the same for every model; raises UsageError if the model has none of them."""
    labels = chosen_labels or truth.labels
    if not set(labels) & set(opened.bundle.labels):
        raise UsageError(
            f"{opened.reading.model.name} has the labels {', '.join(opened.bundle.labels)}, but the benchmark's "
            f"annotations have {', '.join(labels) or 'no label'}: no label is the same; set the labels to evaluate "
            "in [benchmark] labels, or rename them in the tables (default_label in [corpus] labels rows that have no "
            "label)"
        )
    return labels


def unknown_labels_mark(labels: Sequence[str], known: Collection[str]) -> str:
    """Return a mark that names the labels a model does not know, all of whose annotations count as missed.

    Parameters
    ----------
    labels
        The labels that are evaluated.
    known
        The labels of the model.

    Returns
    -------
    str
        The mark; empty if the model knows all labels.

    Examples
    --------
    >>> unknown_labels_mark(["crow", "owl"], ["crow"])
    "does not know 'owl', which counts as missed"
    """
    unknown = [label for label in labels if label not in known]
    if not unknown:
        return ""
    more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
    count = "count" if len(unknown) > 1 else "counts"
    return f"does not know {', '.join(map(repr, unknown[:_MOST_NAMED]))}{more}, which {count} as missed"


def judging_of(truth: BenchmarkTruth, labels: tuple[str, ...], settings: BenchmarkSettings) -> Judging:
    """Return what every decision is evaluated on: the annotated recordings, their tapes, and annotation qualities."""
    return Judging(
        labels=labels,
        criteria=settings.criteria,
        tapes=tuple(truth.tapes[key] for key in truth.ids),
        seconds=np.array([truth.seconds(key) for key in truth.ids]),
        qualities={
            label: [
                "unknown" if note.quality is None else str(note.quality)
                for key in truth.ids
                for note in truth.notes(key, label)
            ]
            for label in labels
        },
        n_bootstrap=settings.bootstrap,
        seed=settings.seed,
    )
