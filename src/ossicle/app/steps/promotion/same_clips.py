"""Compare a run with a promoted version on the same clips: the answers of both are kept beside their figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.app.steps.judge.held_out_answers import held_out_answers
from ossicle.app.steps.promotion.finished_run import FinishedRun
from ossicle.artefacts.tables import read_table, write_table
from ossicle.artefacts.typed.clip_results import ClipResults
from ossicle.bundle.format import read_bundle
from ossicle.bundle.registry.version import Version

_OTHER_DATASET = (
    "its figures are of another dataset, so the two cannot be compared; promote under another --name, or run the "
    "promoted settings on this dataset and promote that first"
)
_NO_CLIP = (
    "the two runs were judged on no common clip, so they cannot be compared; promote under another --name, or run the "
    "promoted settings on these recordings and promote that first"
)


@dataclass(frozen=True, slots=True)
class SameClips:
    """Figures of a run and of a promoted version that can be compared.

    Attributes
    ----------
    own_figures, promoted
        The figures of both.
    other_data
        Why they cannot be compared; empty if they can.
    where
        On which clips, in words; empty if on all of both.
    """

    own_figures: Mapping[str, Any]
    promoted: Mapping[str, Any]
    other_data: str = ""
    where: str = ""


def same_clips(run: FinishedRun, metrics: Mapping[str, Any], against: Version) -> SameClips:
    """Return the figures of a run and of a version on the clips that both were judged on.

    Runs that judge no clips are compared if their datasets are the same.
    """
    promoted = against.metrics
    run_answers, file = held_out_answers(run.artefacts), ClipResults(against.path).answers_file
    if run_answers is None or not file.is_file():
        datasets = [read_bundle(folder).provenance.get("dataset") for folder in (run.bundle, against.bundle)]
        return SameClips(metrics, promoted, "" if datasets[0] == datasets[1] else _OTHER_DATASET)
    from ossicle.evaluation.gates.clip_answers import clip_metrics, read_answers

    version_answers = read_answers(read_table(file))
    both, before = run_answers.among(version_answers), version_answers.among(run_answers)
    n_both = len(both.table)
    if n_both == 0:
        return SameClips(metrics, promoted, _NO_CLIP)
    if n_both == len(run_answers.table) == len(version_answers.table):
        return SameClips(metrics, promoted)
    return SameClips(
        {**metrics, "clips": clip_metrics(both)},
        {**promoted, "clips": clip_metrics(before)},
        where=f" on {n_both} common clips",
    )


def write_answers(run: FinishedRun, folder: Path) -> None:
    """Write the answers of a run into the folder of its version, if it judges clips."""
    from ossicle.evaluation.gates.clip_answers import KEY

    answers = held_out_answers(run.artefacts)
    if answers is not None:
        write_table(ClipResults(folder).answers_file, answers.table, list(KEY))
