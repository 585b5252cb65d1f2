"""Find and remove unused artefacts: those made under settings that neither the project nor a variant has now.

Artefacts of the present settings, of published and pinned results, and the inputs of all these are kept
(:mod:`~ossicle.app.steps.maintenance.kept_artefacts`). Artefacts outside the chain (scores of a benchmark, candidates
of a review) are kept as long as their own inputs are kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.project.places import refuse_links, writing
from ossicle.app.steps.maintenance.kept_artefacts import kept_artefacts
from ossicle.app.steps.pipeline.pipeline import Pipeline
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.artefacts.filesystem.changes import remove_file, remove_folder
from ossicle.artefacts.filesystem.walking import walk
from ossicle.artefacts.shelf import MANIFEST, Shelf


@dataclass(frozen=True, slots=True)
class Unused:
    """An unused artefact: its folder, its step, whether it was finished, and its size in bytes."""

    path: Path
    step: str
    finished: bool
    bytes: int


def unused(projects: Sequence[Project], *, gone: bool = False) -> list[Unused]:
    """List the artefacts that none of the projects uses, the largest first.

    Parameters
    ----------
    projects
        A project, its variants, and other projects with the same data root.
    gone
        Whether recordings that are missing are gone for good.

    Returns
    -------
    list[Unused]
        Finished and unfinished artefacts, by decreasing size in bytes.

    Raises
    ------
    UsageError
        Recordings or annotations of an earlier run are missing.
    """
    refuse_links(projects[0].data_root, ())
    shelf = Shelf(projects[0].data_root)
    manifests = {path: shelf.manifest(path) for path in _finished(shelf.root)}
    kept_paths, begun = kept_artefacts(projects, shelf, manifests, gone=gone)
    chain = {name for project in projects for name in _step_names(pipeline_of(project))}
    dropped = {path for path in manifests if manifests[path]["step"] in chain} - kept_paths
    # Outside the chain, drop artefacts that lost an input, and then what was made from those.
    while more := {
        path
        for path in manifests.keys() - dropped - kept_paths
        if any(_loses_input(value, manifests, dropped) for value in manifests[path]["inputs"].values())
    }:
        dropped |= more
    unused = [Unused(path, str(manifests[path]["step"]), True, _size(path)) for path in dropped]
    unused += [
        Unused(path, path.parent.name, False, _size(path))
        for path in shelf.root.glob("*/.work-*")
        if path.parent.name in chain and path not in begun
    ]
    return sorted(unused, key=lambda artefact: (-artefact.bytes, artefact.path))


def remove(artefacts: Iterable[Unused], data_root: Path) -> None:
    """Remove artefacts.

    The manifest of each artefact is removed first, so that a half-removed artefact is never used.

    Parameters
    ----------
    artefacts
        The artefacts, as :func:`unused` returns them.
    data_root
        The data root that holds them.

    Raises
    ------
    LockedError
        A run writes to the data root.
    """
    with writing(data_root):
        for artefact in artefacts:
            if artefact.finished:
                # A folder without its manifest is no artefact, even if removing the rest fails.
                remove_file(artefact.path / MANIFEST)
            remove_folder(artefact.path)


def _finished(root: Path) -> list[Path]:
    return sorted(path.parent for path in root.glob(f"*/*/{MANIFEST}") if not path.parent.name.startswith("."))


def _step_names(pipeline: Pipeline) -> set[str]:
    """Return the present and former names of the steps of a pipeline."""
    return {step.name for step in pipeline.steps} | pipeline.former_steps.keys()


def _loses_input(content: str, manifests: dict[Path, dict[str, Any]], dropped: set[Path]) -> bool:
    """Return whether an input was an artefact of this data root and every copy of it is to be removed."""
    holders = [path for path, manifest in manifests.items() if manifest["content"] == content]
    return bool(holders) and all(path in dropped for path in holders)


def _size(folder: Path) -> int:
    return sum((base / name).lstat().st_size for base, _, names in walk(folder) for name in names)
