"""Mine hard negatives: save false alarms of a project's own models for its next dataset.

Each recording was scored by the model that held out its group, under the decision of its fold. The thresholds are
lowered by a factor, so that near misses are used too. Only the position of a false alarm is saved. In the next round
it is a noise clip of its recording, and is held out with the rest of that recording.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.judge import decision
from ossicle.app.steps.pipeline.needed import require_of_pipeline
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.app.steps.rounds.learners import Learners, learners
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import UsageError
from ossicle.core.tracks import ScoreTrack
from ossicle.corpus.clips.hard_negatives import FOLDER, FalseAlarm, false_alarms, write_mined
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.evaluation.ground_truth import read_truth
from ossicle.inference.decisions.decide import decide


@dataclass(frozen=True, slots=True)
class Mining:
    """The result of a round of mining, its file (None if an earlier round found the same), and who uses it."""

    false_alarms: tuple[FalseAlarm, ...]
    file: Path | None
    learners: Learners


def mine(project: Project, most: int, lower: float) -> Mining:
    """Save the false alarms with the highest scores in the project folder.

    Parameters
    ----------
    project
        A project that was run up to the step ``decision``.
    most
        The largest number of false alarms to save.
    lower
        Factor on every threshold, at most 1.

    Returns
    -------
    Mining
        The saved false alarms and their file.

    Raises
    ------
    UsageError
        The project was not run with these settings, or there is no false alarm.
    """
    require_of_pipeline(project, "dataset mine", decision.STEP.name)
    found_steps = find_steps(chosen_steps(project, (decision.STEP.name,)), project)
    missing = [name for name, path in found_steps.items() if path is None]
    if missing:
        raise UsageError(f"the step {missing[0]} is not done with these settings; run `ossicle run --until decision`")
    artefacts = {name: path for name, path in found_steps.items() if path is not None}
    corpus, scores, decided = (
        CorpusFolder.among(artefacts),
        ScoresFolder.among(artefacts),
        DecisionFolder.among(artefacts),
    )
    truth = read_truth(corpus, DatasetFolder.among(artefacts))
    decisions = decided.decisions
    alarms: list[FalseAlarm] = []
    for key in truth.ids:
        fold_decisions = decisions[truth.folds[key]]
        alarms += fired(key, truth.recordings[key].digest, scores.track(key), fold_decisions, lower)
    # Exclude everything annotated, not only what became a target.
    notes = read_index(corpus).annotations
    worst_alarms = false_alarms(alarms, notes, project.settings.dataset.margin_s, most)
    if not worst_alarms:
        raise UsageError(f"no false alarm reaches {lower:g} times its threshold, so there is nothing to save")
    folder = project.folder / FOLDER
    with writing(project.data_root, (folder,)):
        file = write_mined(folder, worst_alarms, {folder.step: folder.content for folder in (scores, decided)})
    return Mining(tuple(worst_alarms), file, learners(project, lambda project: project.settings.dataset.mined))


def fired(
    recording_id: str, digest: str, track: ScoreTrack, decisions: Mapping[str, Decision], lower: float
) -> list[FalseAlarm]:
    """Return the events of a track under the decisions of its labels, with thresholds multiplied by ``lower``."""
    low = {
        label: replace(decision, on=decision.on * lower, off=decision.off * lower)
        for label, decision in decisions.items()
    }
    return [
        FalseAlarm(recording_id, digest, event.start_s, event.end_s, event.label, event.score)
        for event in decide(track, low)
    ]
