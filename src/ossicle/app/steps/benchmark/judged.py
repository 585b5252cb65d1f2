"""Select what is evaluated: the labels, the recordings, and the scores within examined stretches."""

import numpy as np

from ossicle.app.project.tables.benchmark import BenchmarkSettings
from ossicle.app.steps.benchmark.index import BenchmarkTruth
from ossicle.app.steps.benchmark.models import Opened
from ossicle.core.errors import UsageError
from ossicle.evaluation.figures.benchmark import Judging


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
