"""Find and remove unused artefacts: those made under settings that neither the project nor a variant has now.

These artefacts are kept: those of the present settings, those that the published results were made from, and the
inputs of all these. Artefacts outside the chain (scores of a benchmark, candidates of a review) are kept as long as
their own inputs are kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.app.project.load import RESULTS_OF_VARIANTS, Project
from ossicle.app.project.places import refuse_links, writing
from ossicle.app.steps.compare.ensemble import ensemble_done
from ossicle.app.steps.engine.step import fingerprint
from ossicle.app.steps.pipeline.pipeline import Pipeline
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.artefacts.filesystem.changes import remove_file, remove_folder
from ossicle.artefacts.shelf import MANIFEST, Shelf
from ossicle.core.combination import Combination


@dataclass(frozen=True, slots=True)
class Unused:
    """An unused artefact: its folder, its step, whether it was finished, and its size in bytes."""

    path: Path
    step: str
    finished: bool
    bytes: int


def unused(projects: Sequence[Project]) -> list[Unused]:
    """List the artefacts that none of the projects uses, the largest first.

    Parameters
    ----------
    projects
        A project, its variants, and other projects with the same data root.

    Returns
    -------
    list[Unused]
        Finished and unfinished artefacts, by decreasing size in bytes.
    """
    refuse_links(projects[0].data_root, ())
    shelf = Shelf(projects[0].data_root)
    present, begun = _present(projects, shelf)
    manifests = {path: shelf.manifest(path) for path in _finished(shelf.root)}
    kept = _with_origins(present & manifests.keys(), _published_from(projects), manifests)
    chain = {name for project in projects for name in _step_names(pipeline_of(project))}
    dropped = {path for path in manifests if manifests[path]["step"] in chain} - kept
    # Outside the chain, drop artefacts that lost an input, and then what was made from those.
    while more := {
        path
        for path in manifests.keys() - dropped - kept
        if any(_lost(value, manifests, dropped) for value in manifests[path]["inputs"].values())
    }:
        dropped |= more
    found = [Unused(path, str(manifests[path]["step"]), True, _size(path)) for path in dropped]
    found += [
        Unused(path, path.parent.name, False, _size(path))
        for path in shelf.root.glob("*/.work-*")
        if path.parent.name in chain and path not in begun
    ]
    return sorted(found, key=lambda one: (-one.bytes, one.path))


def remove(found: Iterable[Unused], data_root: Path) -> None:
    """Remove artefacts.

    The manifest of each artefact is removed first, so that a half-removed artefact is never used.

    Parameters
    ----------
    found
        The artefacts, as :func:`unused` returns them.
    data_root
        The data root that holds them.

    Raises
    ------
    LockedError
        A run writes to the data root.
    """
    with writing(data_root):
        for one in found:
            if one.finished:
                # A folder without its manifest is no artefact, even if removing the rest fails.
                remove_file(one.path / MANIFEST)
            remove_folder(one.path)


def _present(projects: Sequence[Project], shelf: Shelf) -> tuple[set[Path], set[Path]]:
    """Return the artefacts of the present settings, and the working folders of the steps that are next."""
    done: set[Path] = set()
    begun: set[Path] = set()
    for project in projects:
        artefacts: dict[str, Path] = {}
        for step in steps_of(project):
            if any(name not in artefacts for name in step.needs):
                continue
            made_from = fingerprint(step, project, shelf, artefacts)
            found = shelf.find(made_from)
            if found is None:
                begun.add(shelf.unfinished(made_from))
            else:
                artefacts[step.name] = found
        done.update(artefacts.values())
        # Also keep the plain mean that the ensemble is compared with.
        for how in {project.settings.ensemble.combination, Combination()}:
            if (together := ensemble_done(project, (), how)) is not None:
                done.update(together.artefacts.values())
    return done, begun


def _finished(root: Path) -> list[Path]:
    return sorted(path.parent for path in root.glob(f"*/*/{MANIFEST}") if not path.parent.name.startswith("."))


def _step_names(pipeline: Pipeline) -> set[str]:
    """Return the present and former names of the steps of a pipeline."""
    return {step.name for step in pipeline.steps} | pipeline.former_steps.keys()


def _published_from(projects: Sequence[Project]) -> set[str]:
    """Return the content digests that the published results of the projects and their variants name as their inputs."""
    return {
        content
        for project in projects
        for place in (project.folder, *(project.folder / RESULTS_OF_VARIANTS).glob("*"))
        for result in pipeline_of(project).published
        for content in result.made_from(place / result.name)
    }


def _with_origins(kept: set[Path], asked: set[str], manifests: dict[Path, dict[str, Any]]) -> set[Path]:
    """Return ``kept`` with the artefacts of the contents ``asked``, and with the inputs of all these."""
    out = set(kept)
    while True:
        wanted = asked | {value for path in out for value in manifests[path]["inputs"].values()}
        # Different settings may give equal contents: one artefact for each content is enough.
        wanted -= {manifests[path]["content"] for path in out}
        more = {path for path in manifests if manifests[path]["content"] in wanted}
        if not more:
            return out
        out |= more


def _lost(content: str, manifests: dict[Path, dict[str, Any]], dropped: set[Path]) -> bool:
    """Return whether an input was an artefact of this data root and every copy of it is to be removed."""
    holders = [path for path, manifest in manifests.items() if manifest["content"] == content]
    return bool(holders) and all(path in dropped for path in holders)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
