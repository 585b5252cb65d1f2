"""What a page shows of held-out clips: their figures, the most frequent confusions, and the most confident mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ossicle.artefacts.typed.clip_results import ClipResults
from ossicle.evaluation.clips.answer_table import TOP, misclassified, misclassified_pairs
from ossicle.metrics.reports.event_report import Estimate, estimate_from
from ossicle.report.figures.confusion import confusion_figure
from ossicle.report.figures.style import data_address

MOST_PAIRS = 20
MOST_WRONG = 60


@dataclass(frozen=True, slots=True, eq=False)
class ClipsSection:
    """Held-out clips on a page.

    Attributes
    ----------
    figures
        ``clips`` of ``metrics.json``.
    leads
        Whether these are the headline.
    picture
        The confusion matrix as the address of an image.
    pairs
        Rows of ``misclassified_pairs.csv``, the most frequent first; ``pairs_left`` are omitted.
    wrong
        Rows of ``misclassified.csv``, the most confident first, each with ``top``: label and probability of the three
        highest; ``wrong_left`` are omitted.
    """

    figures: Mapping[str, Any]
    leads: bool
    picture: str
    pairs: Sequence[Mapping[str, Any]]
    pairs_left: int
    wrong: Sequence[Mapping[str, Any]]
    wrong_left: int

    @property
    def headline(self) -> list[tuple[str, Estimate]]:
        """The figures of all clips, by their names."""
        named = (("accuracy by hit", "accuracy"), ("macro F1 by hit", "macro_f1"), ("loss", "loss"))
        return [(name, estimate_from(self.figures[key])) for name, key in named]

    @property
    def parts(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Figures by source and by dynamic bucket, each with its heading; empty ones are left out."""
        named = (("By source", "per_source"), ("By dynamic bucket", "per_bucket"))
        return [(title, self.figures[key]) for title, key in named if self.figures.get(key)]


def clips_section(metrics: Mapping[str, Any], results: ClipResults, *, leads: bool) -> ClipsSection:
    """Return the section of a run.

    Parameters
    ----------
    metrics
        The content of ``metrics.json``, which has ``clips``.
    results
        The answers to the clips.
    leads
        Whether these are the headline.
    """
    figures, answers = metrics["clips"], results.answers
    pairs, wrong = misclassified_pairs(answers), misclassified(answers)
    counts = np.array(figures["confusion"]["counts"], dtype=np.int64)
    return ClipsSection(
        figures=figures,
        leads=leads,
        picture=data_address(confusion_figure(figures["confusion"]["labels"], counts)),
        pairs=pairs.head(MOST_PAIRS).to_dicts(),
        pairs_left=max(0, len(pairs) - MOST_PAIRS),
        wrong=[_with_top(row) for row in wrong.head(MOST_WRONG).to_dicts()],
        wrong_left=max(0, len(wrong) - MOST_WRONG),
    )


def _with_top(row: Mapping[str, Any]) -> dict[str, Any]:
    ranks = [rank for rank in range(1, TOP + 1) if f"top{rank}" in row]
    return {**row, "top": [(row[f"top{rank}"], row[f"p{rank}"]) for rank in ranks]}
