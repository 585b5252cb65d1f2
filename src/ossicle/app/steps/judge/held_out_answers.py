"""The answers of a run to its held-out clips, for gates."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ClipScoresFolder

if TYPE_CHECKING:
    from ossicle.evaluation.gates.clip_answers import ClipAnswers


def held_out_answers(artefacts: Mapping[str, Path]) -> "ClipAnswers | None":
    """Return the answers to the clips that are evaluated; None if the artefacts of a run have no scored clips."""
    if ClipScoresFolder.step not in artefacts:
        return None
    from ossicle.evaluation.clips.judged_clips import read_clips
    from ossicle.evaluation.gates.clip_answers import ClipAnswers
    from ossicle.evaluation.ground_truth import read_evaluated_truth

    truth = read_evaluated_truth(CorpusFolder.among(artefacts), DatasetFolder.among(artefacts))
    return ClipAnswers.of(read_clips(ClipScoresFolder.among(artefacts), truth))
