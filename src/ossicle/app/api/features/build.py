"""Build the features of a project, embeddings or kept spectrograms, and find existing ones."""

from pathlib import Path
from shlex import quote

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.acoustic_units import features as frames
from ossicle.app.steps.acoustic_units import segments
from ossicle.app.steps.data import corpus, dataset, features, logmel, store
from ossicle.app.steps.engine.step import Done, Progress, Step, find_steps, run_steps
from ossicle.app.steps.pipeline.pipelines import chosen_steps, steps_of
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.shards.logmel import LogMelFolder
from ossicle.core.errors import UsageError


def build_spectrograms(project: Project, progress: Progress, *, force: bool = False) -> tuple[Done, list[str]]:
    """Keep the log-mel spectrograms of a project with ``[features] cache``, or check kept ones and build their damaged
    shards again.

    Parameters and results are those of :func:`build_features`.
    """
    name = logmel.STEP.name
    with writing(project.data_root):
        done = run_steps(chosen_steps(project, [name]), project, progress, (name,) if force else ())
    logmel_path = done.artefacts[name]
    damaged = logmel.problems(logmel_path) if done.outcomes[name] == "reused" else {}
    if damaged:
        logmel.repair(project, done.artefacts[store.STEP.name], logmel_path, damaged)
    return done, [line for lines in damaged.values() for line in lines]


def existing_spectrograms(project: Project) -> LogMelFolder:
    """Return the kept log-mel spectrograms of a project with ``[features] cache``.

    Raises
    ------
    UsageError
        None are kept with the current settings.
    """
    name = logmel.STEP.name
    path = find_steps(chosen_steps(project, [name]), project)[name]
    if path is None:
        raise UsageError(_none_exist(project, "spectrograms are kept"))
    return LogMelFolder(path)


def feature_steps(project: Project) -> tuple[Step, ...]:
    """Return the step ``features`` of a project and those it needs.

    A project whose pipeline has no such step can have features beside it, for a search or for other tools.
    """
    if any(step.name == features.STEP.name for step in steps_of(project)):
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
    features_path = done.artefacts[name]
    damaged = features.problems(features_path) if done.outcomes[name] == "reused" else {}
    if damaged and FeaturesFolder(features_path).of_frames:
        frames.repair(
            project, done.artefacts[corpus.STEP.name], done.artefacts[segments.STEP.name], features_path, damaged
        )
    elif damaged:
        features.repair(
            project, done.artefacts[corpus.STEP.name], done.artefacts[dataset.STEP.name], features_path, damaged
        )
    return done, [line for lines in damaged.values() for line in lines]


def existing_features(project: Project) -> dict[str, Path]:
    """Return the artefacts of :func:`feature_steps` by step.

    Raises
    ------
    UsageError
        The features are not built with the current settings.
    """
    artefacts = {name: path for name, path in find_steps(feature_steps(project), project).items() if path is not None}
    if features.STEP.name not in artefacts:
        # With the setting, the command would keep spectrograms instead.
        more = " --set features.cache=false" if project.settings.features.cache else ""
        raise UsageError(_none_exist(project, "features exist") + more)
    return artefacts


def _none_exist(project: Project, noun: str) -> str:
    variant = f" --variant {project.variant}" if project.variant else ""
    return (
        f"{project.file}: no {noun} for these settings and recordings; run: ossicle features build "
        f"-p {quote(str(project.file))}{variant}"
    )


def shard_bytes(features: FeaturesFolder | LogMelFolder) -> int:
    """Return the size of the features on disk in bytes."""
    return sum(path.stat().st_size for path in features.shards.rglob("*") if path.is_file())
