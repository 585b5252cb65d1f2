"""The status of a project before a run: what is built under its settings, and whether its results are current."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import is_dataclass, replace
from itertools import groupby
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

from ossicle.app.project.load import Project, load_project
from ossicle.app.project.settings import WITHOUT_FIGURES
from ossicle.app.steps.engine.step import Step, find_steps
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline, Published, with_needs
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.run_project import refuse_foreign_results
from ossicle.artefacts.files import file_digest, tree_digest
from ossicle.artefacts.shelf import NOT_CONTENT
from ossicle.artefacts.typed.results.published import METRICS
from ossicle.core.errors import OssicleError, ProjectError, UsageError
from ossicle.core.settings import digestible
from ossicle.evaluation.leaderboard import differences
from ossicle.models.model_kinds import EMBEDDINGS

Settings = TypeVar("Settings")

_MOST_SETTINGS = 5


def project_status(project: Project, overrides: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Report what is built of a project and its active variants, and whether the results are current.

    Only files of the user where a run writes its results block it. A project whose recordings cannot be listed yields
    nothing: the preflight says why.

    Parameters
    ----------
    project
        The project.
    overrides
        The ``--set`` options that the project was loaded with.
    """
    try:
        yield from _built(project, "")
        yield from _idle(project, overrides)
        if project.variants and not project.variant:
            active = ", ".join(project.active) or "none"
            yield Finding("variants", True, f"valid: {', '.join(project.variants)}; active: {active}")
            for name in project.active:
                yield from _variant_built(project, name, overrides)
    except (OssicleError, OSError) as problem:
        yield Finding("built", True, f"unknown: {problem}")


def outdated_results(project: Project, done: Artefacts, names: Collection[str] | None = None) -> str:
    """Return which published results belong to other settings or recordings, in words; empty if none does.

    A result that a refusing step withholds does not count: the earlier one stays on purpose.

    Parameters
    ----------
    project
        The project.
    done
        The finished steps under its settings, by name.
    names
        The results to look at; None: all.
    """
    pipeline = pipeline_of(project)
    chosen_results = [published for published in pipeline.published if names is None or published.name in names]
    withheld = pipeline.withheld(done)
    old = [
        str(project.results / published.name)
        for published in chosen_results
        if published.name not in withheld
        and (project.results / published.name).exists()
        and not _is_current(project, published, done)
    ]
    if not old:
        return ""
    were = "was" if len(old) == 1 else "were"
    return (
        f"{', '.join(old)} {were} made with other settings or recordings, or by another version of Ossicle; if "
        "settings were given with --set, give the same --set options here"
    )


def _is_current(project: Project, result: Published, done: Artefacts) -> bool:
    """Return whether a published result is what a finished step made."""
    current_paths = [done[step] if result.whole else done[step] / result.name for step in result.steps if step in done]
    stated = project.results / result.name
    return any(
        path.exists() and path.is_dir() == stated.is_dir() and _digest(path) == _digest(stated)
        for path in current_paths
    )


def _variant_built(project: Project, name: str, overrides: tuple[str, ...]) -> Iterator[Finding]:
    try:
        variant = load_project(project.file, overrides, project.data_root, name)
    except ProjectError as problem:
        yield Finding("built", True, f"variant {name}: does not go together with these --set options: {problem}")
        return
    yield from _built(variant, f"variant {name}: ")
    yield from _idle(variant, overrides)


def differing_settings(variant: Project, project: Project) -> tuple[str, ...]:
    """Return the settings of a variant that differ from the project itself, apart from the name of its bundle.

    Parameters
    ----------
    variant
        The variant.
    project
        The project without a variant.

    Returns
    -------
    tuple of str
        Settings as ``table.key = value``, sorted.
    """
    named = replace(variant.settings, project=replace(variant.settings.project, name=project.settings.project.name))
    return differences(digestible(named), digestible(project.settings))


def settings_without_effect(variant: Project, project: Project) -> tuple[str, ...]:
    """Return the settings of a variant that change nothing that its figures are made from.

    A setting has no effect if the steps up to the figures have the same keys (:class:`Step`) with the project's value:
    ``[frontend]`` where models read the embeddings of an encoder, for example. Settings of the page, of exports, of
    jobs and the like are never among them, because they have their effect elsewhere.

    Parameters
    ----------
    variant
        The variant.
    project
        The project without a variant.

    Returns
    -------
    tuple of str
        Settings as ``table.key = value``, sorted; a part of :func:`differing_settings`.
    """
    shape = _shape(variant)

    def is_idle(settings: Sequence[str]) -> bool:
        paths = [stated.partition(" = ")[0].split(".") for stated in settings]
        try:
            other = _with_values(variant.settings, project.settings, paths)
            return _shape(replace(variant, settings=other)) == shape
        except (OssicleError, ValueError):
            # The two values do not go together, so the setting matters.
            return False

    perhaps = [
        stated for stated in differing_settings(variant, project) if stated.partition(".")[0] not in WITHOUT_FIGURES
    ]
    return idle_together(perhaps, is_idle)


def idle_together(settings: Sequence[str], is_idle: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """Return as many settings as possible that can all be left out at once and change nothing.

    Settings of one table are tried together first, because the project's value of one may not go together with the
    variant's value of another (a rate and the highest frequency), and then each by itself. Of two settings that say
    the same, each alone changes nothing: only the first is returned.

    Parameters
    ----------
    settings
        Settings as ``table.key = value``, sorted.
    is_idle
        Returns whether leaving out all of some settings changes nothing.

    Returns
    -------
    tuple of str
        The settings, sorted.

    Examples
    --------
    >>> idle_together(["a.x = 1", "a.y = 2", "b.z = 3"], lambda some: some == ("a.x = 1", "a.y = 2"))
    ('a.x = 1', 'a.y = 2')
    """
    tables = [tuple(members) for _, members in groupby(settings, key=lambda stated: stated.partition(".")[0])]
    chosen: tuple[str, ...] = ()
    for group in [*tables, *((stated,) for stated in settings)]:
        more = tuple(sorted({*chosen, *group}))
        if more != chosen and is_idle(more):
            chosen = more
    return chosen


def no_effect_in_words(variant: Project, project: Project) -> str:
    """Return which settings of a variant have no effect on its figures, in words.

    Parameters
    ----------
    variant
        The variant.
    project
        The project without a variant.

    Returns
    -------
    str
        The first of them and the number of all; empty if there are none.
    """
    idle = settings_without_effect(variant, project)
    if not idle:
        return ""
    shown = ", ".join(idle[:_MOST_SETTINGS]) + f" and {len(idle) - _MOST_SETTINGS} more" * (len(idle) > _MOST_SETTINGS)
    same = "" if len(idle) < len(differing_settings(variant, project)) else ", which are those of the project itself"
    return f"no effect on the figures{same}: {shown}"


def _idle(variant: Project, overrides: tuple[str, ...]) -> Iterator[Finding]:
    """Warn of the settings of a variant that change no figure."""
    if not variant.variant:
        return
    project = load_project(variant.file, overrides, variant.data_root)
    if words := no_effect_in_words(variant, project):
        yield Finding("no effect", True, f"variant {variant.variant}: {words}; remove these settings", warns=True)


def _with_values(settings: Settings, other: Settings, paths: Iterable[Sequence[str]]) -> Settings:
    """Return settings with the values that ``other`` has at paths of keys, all changed at once.

    One after the other, a rate could meet the highest frequency of another rate on the way.
    """
    values: dict[str, Any] = {}
    below: dict[str, list[Sequence[str]]] = {}
    for name, *rest in paths:
        value: Any = getattr(other, name)
        values[name] = value
        own: Any = getattr(settings, name)
        if rest and is_dataclass(own) and type(own) is type(value):
            below.setdefault(name, []).append(rest)
    for name, inner_paths in below.items():
        values[name] = _with_values(getattr(settings, name), values[name], inner_paths)
    changed: Settings = replace(settings, **values)  # type: ignore[type-var]
    return changed


def _shape(project: Project) -> list[Any]:
    """Return what the figures of a project are made from, apart from its files: the steps up to them with their keys.

    A pipeline without published figures counts as a whole.
    """
    pipeline = pipeline_of(project)
    steps = pipeline.steps_of(project)
    names = {name for published in pipeline.published if published.name == METRICS for name in published.steps}
    shown_steps = with_needs(steps, names & {step.name for step in steps}) or steps
    return [(step.name, step.version, step.needs, _figures_key(step, project)) for step in shown_steps]


def _figures_key(step: Step, project: Project) -> dict[str, Any]:
    """Return the settings of a step, without those that shape no figure.

    The chunk plan counts samples at the rate of ``[frontend]``; an encoder reads the same seconds at its own rate.
    """
    key = {name: value for name, value in step.settings(project).items() if name not in step.only_reported}
    settings = project.settings
    if settings.kind.reads == EMBEDDINGS and key.get("plan") == digestible(settings.plan):
        key["plan"] = [settings.clip_s, settings.plan.channel]
    return key


def _built(project: Project, prefix: str) -> Iterator[Finding]:
    pipeline = pipeline_of(project)
    artefacts_found = find_steps(pipeline.steps_of(project), project)
    run = f"ossicle run -p {quote(str(project.file))}" + (f" --variant {project.variant}" if project.variant else "")
    for step, subject in pipeline.checked.items():
        state = "built and current" if artefacts_found[step] else f"missing; {run} --until {step} builds it"
        yield Finding(subject, True, f"{prefix}{state}")
    done = {name: path for name, path in artefacts_found.items() if path is not None}
    yield from _results(project, pipeline, done, prefix, run)


def _results(project: Project, pipeline: Pipeline, done: Artefacts, prefix: str, run: str) -> Iterator[Finding]:
    """Check whether the published results belong to the present settings and recordings."""
    if not pipeline.published:
        return
    try:
        refuse_foreign_results(project, pipeline.result_names())
    except UsageError as fault:
        yield Finding("results", False, f"{prefix}{fault}")
        return
    if not any((project.results / name).exists() for name in pipeline.result_names()):
        yield Finding("results", True, f"{prefix}none yet")
        return
    if outdated := outdated_results(project, done):
        yield Finding("results", True, f"{prefix}out of date: {outdated}; {run} updates it")
    else:
        message = "up to date with these settings and recordings"
        steps = {step.name for step in pipeline.steps_of(project)}
        missing = [
            published.name
            for published in pipeline.published
            if steps & set(published.steps) and not (published.optional or (project.results / published.name).exists())
        ]
        yield Finding("results", True, f"{prefix}{message}{'; not made yet: ' * bool(missing)}{', '.join(missing)}")


def _digest(path: Path) -> str:
    # Of a whole artefact its manifest and logs are not published.
    return tree_digest(path, NOT_CONTENT) if path.is_dir() else file_digest(path)
