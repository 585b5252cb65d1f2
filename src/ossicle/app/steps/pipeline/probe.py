"""Run a project as far as the probe gate needs, and judge it: ``ossicle probe``."""

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.engine.step import Progress, run_steps
from ossicle.app.steps.judge.probe_gate import Probe, judged_probe, require_probe_gate
from ossicle.app.steps.pipeline.needed import require_of_pipeline
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.scores import ClipScoresFolder


def probe(project: Project, progress: Progress, *, wait: bool = False) -> Probe:
    """Run a project or variant up to the scores of its held-out clips, judge a part of them, and record the result.

    Parameters
    ----------
    project
        The project or variant; finished steps are reused.
    progress
        Where the steps report how far they are.
    wait
        Wait for another run on the same data root.

    Raises
    ------
    UsageError
        The project has no probe gate, or judges no clips.
    LockedError
        Another run writes to the data root.
    """
    require_of_pipeline(project, "probe", DatasetFolder.step)
    require_probe_gate(project)
    with writing(project.data_root, wait=wait):
        done = run_steps(chosen_steps(project, (ClipScoresFolder.step,)), project, progress)
        return judged_probe(project, done.artefacts)
