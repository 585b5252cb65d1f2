"""The status of a project before a run: what is built under its settings, and whether its results are current."""

from collections.abc import Iterator
from pathlib import Path

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.artefacts.files import file_digest, tree_digest
from ossicle.core.errors import OssicleError, ProjectError


def project_status(project: Project, overrides: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Report what is built of a project and its active variants, and whether the results are current.

    Nothing here blocks a run. A project whose recordings cannot be listed yields nothing: the preflight says why.

    Parameters
    ----------
    project
        The project.
    overrides
        The ``--set`` options that the project was loaded with.
    """
    try:
        yield from _built(project, "")
        if project.variants and not project.variant:
            active = ", ".join(project.active) or "none"
            yield Finding("variants", True, f"valid: {', '.join(project.variants)}; active: {active}")
            for name in project.active:
                yield from _variant_built(project, name, overrides)
    except (OssicleError, OSError) as problem:
        yield Finding("built", True, f"unknown: {problem}")


def outdated_results(project: Project, done: Artefacts) -> str:
    """Return that published results belong to other settings or recordings, in words; empty if they do not.

    Parameters
    ----------
    project
        The project.
    done
        The finished steps under its settings, by name.
    """
    published = pipeline_of(project).published
    if not published:
        return ""
    first = published[0]
    results = project.results / first.name
    if not results.exists():
        return ""
    made = [done[step] / first.name for step in first.steps if step in done]
    if any(one.exists() and _digest(one) == _digest(results) for one in made):
        return ""
    return (
        f"{results} was made with other settings or recordings; if they were given with --set, give the same --set "
        "options here"
    )


def _variant_built(project: Project, name: str, overrides: tuple[str, ...]) -> Iterator[Finding]:
    try:
        one = load_project(project.file, overrides, project.data_root, name)
    except ProjectError as problem:
        yield Finding("built", True, f"variant {name}: does not go together with these --set options: {problem}")
        return
    yield from _built(one, f"variant {name}: ")


def _built(project: Project, prefix: str) -> Iterator[Finding]:
    pipeline = pipeline_of(project)
    found = find_steps(pipeline.steps_of(project), project)
    run = f"ossicle run -p {project.file}" + (f" --variant {project.variant}" if project.variant else "")
    for step, what in pipeline.checked.items():
        state = "built and current" if found[step] else f"missing; {run} --until {step} builds it"
        yield Finding(what, True, f"{prefix}{state}")
    done = {name: path for name, path in found.items() if path is not None}
    yield from _results(project, pipeline, done, prefix, run)


def _results(project: Project, pipeline: Pipeline, done: Artefacts, prefix: str, run: str) -> Iterator[Finding]:
    """Check whether the first published result, the figures, belongs to the present settings and recordings."""
    if not pipeline.published:
        return
    first = pipeline.published[0]
    results = project.results / first.name
    if not results.exists():
        yield Finding("results", True, f"{prefix}none yet")
        return
    if outdated := outdated_results(project, done):
        yield Finding("results", True, f"{prefix}out of date: {outdated}; {run} updates it")
    else:
        yield Finding("results", True, f"{prefix}up to date with these settings and recordings")


def _digest(place: Path) -> str:
    return tree_digest(place) if place.is_dir() else file_digest(place)
