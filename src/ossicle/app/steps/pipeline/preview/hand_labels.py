"""What ``ossicle check`` finds in the hand labels of a second stage: a run reads them only after its trainings."""

from collections.abc import Iterator, Sequence

from ossicle.app.project.load import Project
from ossicle.app.steps.judge.hand_labels import hand_label_place
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.core.errors import OssicleError
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.training.second_stage.settings import NONE


def hand_label_findings(project: Project, index: CorpusIndex, labels: Sequence[str]) -> Iterator[Finding]:
    """Yield how many hand labels the second stage will read, or why it cannot read them.

    Parameters
    ----------
    project
        The project.
    index
        Its index, decoded or not.
    labels
        Labels that a run would train on, which hand labels may name.
    """
    from ossicle.evaluation.hand_labels import read_hand_labels

    if project.settings.second_stage.kind == NONE:
        return
    try:
        folder = hand_label_place(project)
        if folder is None:
            return
        hand_labels = read_hand_labels(folder, index.recordings, labels)
    except (OssicleError, OSError) as problem:
        yield Finding("hand labels", False, str(problem))
        return
    n_rows = sum(map(len, hand_labels.values()))
    yield Finding("hand labels", True, f"{n_rows} rows for {len(hand_labels)} recordings below {folder}")
