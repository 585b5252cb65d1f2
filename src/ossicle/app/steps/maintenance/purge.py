"""Artefacts that nothing uses any more: made under settings that neither the project nor one of its variants has now.

Kept are the artefacts of the present settings, those that the results beside the project file were made from, what
artefacts that are kept were made from, and what stands beside the chain (scores of a benchmark, candidates of a review)
as long as its own inputs are kept.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.app.project.load import RESULTS_OF_VARIANTS, Project
from ossicle.app.steps.compare.ensemble import ensemble_done
from ossicle.app.steps.engine.step import fingerprint
from ossicle.app.steps.pipeline.pipeline import Pipeline
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.artefacts.lock import project_lock
from ossicle.artefacts.shelf import MANIFEST, Shelf
from ossicle.core.combination import Combination


@dataclass(frozen=True, slots=True)
class Unused:
    """A folder of the shelf that nothing uses, its step, whether it was ever finished, and its size."""

    path: Path
    step: str
    finished: bool
    bytes: int


def unused(projects: Sequence[Project]) -> list[Unused]:
    """What none of ``projects`` (a project, its variants, others of the same data root) uses; the largest first."""
    shelf = Shelf(projects[0].data_root)
    present, begun = _present(projects, shelf)
    manifests = {path: shelf.manifest(path) for path in _finished(shelf.root)}
    kept = _with_origins(present & manifests.keys(), _published_from(projects), manifests)
    chain = {name for project in projects for name in _step_names(pipeline_of(project))}
    dropped = {path for path in manifests if manifests[path]["step"] in chain} - kept
    # Beside the chain, whatever lost an input is dropped, and then what was made from that.
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
    """Remove them, each first out of its place, so that no half artefact is ever found; LockedError during a run."""
    with project_lock(data_root):
        for one in found:
            if one.finished:
                # Without its manifest a folder is no artefact, whatever becomes of the rest.
                (one.path / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(one.path)


def _present(projects: Sequence[Project], shelf: Shelf) -> tuple[set[Path], set[Path]]:
    """The artefacts of the present settings, and the working folders of steps that are next to be done."""
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
        # And the ensemble with the plain mean that it is laid beside.
        for how in {project.settings.ensemble.combination, Combination()}:
            if (together := ensemble_done(project, (), how)) is not None:
                done.update(together.artefacts.values())
    return done, begun


def _finished(root: Path) -> list[Path]:
    return sorted(path.parent for path in root.glob(f"*/*/{MANIFEST}") if not path.parent.name.startswith("."))


def _step_names(pipeline: Pipeline) -> set[str]:
    """The names of the steps of a pipeline, present and former."""
    return {step.name for step in pipeline.steps} | pipeline.former_steps.keys()


def _published_from(projects: Sequence[Project]) -> set[str]:
    """Contents that the results beside the project files, and of their variants, say they were made from."""
    return {
        content
        for project in projects
        for place in (project.folder, *(project.folder / RESULTS_OF_VARIANTS).glob("*"))
        for result in pipeline_of(project).published
        for content in result.made_from(place / result.name)
    }


def _with_origins(kept: set[Path], asked: set[str], manifests: dict[Path, dict[str, Any]]) -> set[Path]:
    """``kept`` with the artefacts of the contents ``asked``, and with what all these were made from."""
    out = set(kept)
    while True:
        wanted = asked | {value for path in out for value in manifests[path]["inputs"].values()}
        # Different settings may give equal contents: one artefact of each is enough.
        wanted -= {manifests[path]["content"] for path in out}
        more = {path for path in manifests if manifests[path]["content"] in wanted}
        if not more:
            return out
        out |= more


def _lost(content: str, manifests: dict[Path, dict[str, Any]], dropped: set[Path]) -> bool:
    """Whether an input was an artefact of the shelf, and is to be dropped wherever it is."""
    holders = [path for path, manifest in manifests.items() if manifest["content"] == content]
    return bool(holders) and all(path in dropped for path in holders)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
