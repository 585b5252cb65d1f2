"""How a project stands before a run: what is built under its settings, and whether its results are of them."""

from collections.abc import Iterator

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.judge import noise_gate
from ossicle.app.steps.pipeline import detector
from ossicle.app.steps.pipeline.preflight import Finding
from ossicle.artefacts.files import file_digest
from ossicle.core.errors import OssicleError


def standing(project: Project, overrides: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Index, datasets of the project and of its active variants, and results: there and current, or what renews them.

    Nothing here stops a run. A project whose recordings cannot be listed gives nothing: the preflight says why.
    """
    try:
        yield from _built(project, "")
        if project.variants and not project.variant:
            active = ", ".join(project.active) or "none"
            yield Finding("variants", True, f"valid: {', '.join(project.variants)}; active: {active}")
            for name in project.active:
                one = load_project(project.file, overrides, project.data_root, name)
                yield from _built(one, f"variant {name}: ")
    except (OssicleError, OSError) as problem:
        yield Finding("built", True, f"cannot be told: {problem}")


def _built(project: Project, of: str) -> Iterator[Finding]:
    found = find_steps(detector.chain_of(project), project)
    run = f"ossicle run -p {project.file}" + (f" --variant {project.variant}" if project.variant else "")
    for step, what in (("corpus", "index"), ("dataset", "dataset")):
        state = "built and current" if found[step] else f"to be built; {run} --until {step} does that"
        yield Finding(what, True, f"{of}{state}")
    results = project.results / noise_gate.METRICS
    if not results.exists():
        yield Finding("results", True, f"{of}none yet")
        return
    made = found.get("noise_gate")
    if made is not None and file_digest(made / noise_gate.METRICS) == file_digest(results):
        yield Finding("results", True, f"{of}those of these settings and recordings")
    else:
        yield Finding("results", True, f"{of}stale: {results} is of other settings or recordings; {run} renews it")
