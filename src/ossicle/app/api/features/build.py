"""Build the features of a project, and find existing ones."""

from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.data import corpus, dataset, features
from ossicle.app.steps.engine.step import Done, Progress, Step, find_steps, run_steps
from ossicle.app.steps.pipeline.pipelines import chosen_steps, steps_of
from ossicle.artefacts.typed.features import FeaturesFolder
from ossicle.core.errors import UsageError


def feature_steps(project: Project) -> tuple[Step, ...]:
    """Return the step ``features`` of a project and those it needs.

    A project whose pipeline has no such step can have features beside it, for a search or for other tools.
    """
    if any(one.name == features.STEP.name for one in steps_of(project)):
        return chosen_steps(project, [features.STEP.name])
    return features.with_features((corpus.STEP, dataset.STEP, features.STEP), project)


def build_features(project: Project, progress: Progress, *, force: bool = False) -> tuple[Done, list[str]]:
    """Build the features of a project, or check existing ones and build their damaged shards again.

    Parameters
    ----------
    project
        The project.
    progress
        Where the steps report how far they are.
    force
        Build all shards again.

    Returns
    -------
    done, problems
        The artefacts, and what was wrong with the shards that were built again.
    """
    name = features.STEP.name
    with writing(project.data_root):
        done = run_steps(feature_steps(project), project, progress, (name,) if force else ())
    made = done.artefacts[name]
    damaged = features.problems(made) if done.outcomes[name] == "reused" else {}
    if damaged:
        features.repair(project, done.artefacts[corpus.STEP.name], done.artefacts[dataset.STEP.name], made, damaged)
    return done, [line for lines in damaged.values() for line in lines]


def existing_features(project: Project) -> dict[str, Path]:
    """Return the artefacts of :func:`feature_steps` by step.

    Raises
    ------
    UsageError
        The features are not built with the current settings.
    """
    found = {name: path for name, path in find_steps(feature_steps(project), project).items() if path is not None}
    if features.STEP.name not in found:
        raise UsageError(
            f"{project.file}: no features exist for these settings and recordings; run: ossicle features build "
            f"-p {project.file}" + (f" --variant {project.variant}" if project.variant else "")
        )
    return found


def shard_bytes(own: FeaturesFolder) -> int:
    """Return the size of the features on disk in bytes."""
    return sum(path.stat().st_size for path in own.shards.iterdir() if path.is_file())
