"""What ``ossicle purge`` keeps: artefacts of the present settings, of published and pinned results, and all inputs."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ossicle.app.project.load import RESULTS_OF_VARIANTS, Project
from ossicle.app.steps.compare.ensemble import ensemble_done
from ossicle.app.steps.engine.step import Step, fingerprint
from ossicle.app.steps.maintenance.pins import pinned_contents
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.artefacts.files import file_digest, tree_digest
from ossicle.artefacts.fingerprint import Fingerprint
from ossicle.artefacts.shelf import Shelf
from ossicle.core.errors import OssicleError, UsageError
from ossicle.core.scores.combination import Combination

Manifests = Mapping[Path, Mapping[str, Any]]
"""``artefact.json`` of each finished artefact, by its folder."""


def kept_artefacts(
    projects: Sequence[Project], shelf: Shelf, manifests: Manifests, *, gone: bool = False
) -> tuple[set[Path], set[Path]]:
    """Return the artefacts to keep, and the working folders of the steps that are next.

    Parameters
    ----------
    projects
        Projects and variants with one data root.
    shelf, manifests
        Its finished artefacts.
    gone
        Whether recordings that are missing are gone for good.

    Raises
    ------
    UsageError
        Recordings or annotations of an earlier run are missing, so nothing can be said about what is unused.
    """
    present, begun = _present(projects, shelf, manifests, gone=gone)
    names = _named_from(projects) | set(pinned_contents(shelf.root))
    current = (present | _published(projects, manifests)) & manifests.keys()
    return _with_origins(current, names, manifests, _readers(projects)), begun


def _present(
    projects: Sequence[Project], shelf: Shelf, manifests: Manifests, *, gone: bool
) -> tuple[set[Path], set[Path]]:
    done: set[Path] = set()
    begun: set[Path] = set()
    for project in projects:
        artefacts: dict[str, Path] = {}
        for step in steps_of(project):
            if any(name not in artefacts for name in step.needs):
                continue
            made_from = fingerprint(step, project, shelf, artefacts)
            path = shelf.find(made_from)
            if path is not None:
                artefacts[step.name] = path
                continue
            begun.add(shelf.unfinished(made_from))
            if not gone:
                _require_inputs(project, step, made_from, manifests)
        done.update(artefacts.values())
        # Also keep the plain mean that the ensemble is compared with.
        for combination in {project.settings.ensemble.combination, Combination()}:
            if (together := ensemble_done(project, (), combination)) is not None:
                done.update(together.artefacts.values())
    return done, begun


def _require_inputs(project: Project, step: Step, made_from: Fingerprint, manifests: Manifests) -> None:
    """Raise UsageError if the step was done under these settings with files that are missing now."""
    for path, manifest in manifests.items():
        if manifest["step"] == step.name and manifest["settings"] == made_from.settings:
            missing = pipeline_of(project).missing_inputs(project, step.name, path)
            if missing:
                raise UsageError(
                    f"{missing}: is the disk mounted? Without them every result of an earlier run looks unused, so "
                    "nothing is removed. Bring them back, or add --gone if they are gone for good"
                )


def _named_from(projects: Sequence[Project]) -> set[str]:
    """Return the content digests that the published results of the projects and their variants name as their inputs."""
    return {
        content
        for project in projects
        for folder in (project.folder, *(project.folder / RESULTS_OF_VARIANTS).glob("*"))
        for result in pipeline_of(project).published
        for content in result.made_from(folder / result.name)
    }


def _published(projects: Sequence[Project], manifests: Manifests) -> set[Path]:
    """Return the artefacts of which the published results are copies."""
    places = {
        (folder / result.name, step, result.name)
        for project in projects
        for folder in (project.folder, *(project.folder / RESULTS_OF_VARIANTS).glob("*"))
        for result in pipeline_of(project).published
        for step in result.steps
        if (folder / result.name).exists()
    }
    of_step: dict[str, list[Path]] = defaultdict(list)
    for path, manifest in manifests.items():
        of_step[str(manifest["step"])].append(path)
    paths = set()
    for copy, step, name in places:
        copy_digest = _digest(copy)
        paths |= {path for path in of_step[step] if (path / name).exists() and _digest(path / name) == copy_digest}
    return paths


def _digest(path: Path) -> str:
    return tree_digest(path) if path.is_dir() else file_digest(path)


Readers = Mapping[str, Collection[Callable[[Path], str]]]
"""Functions that digest a part of an artefact, by the step that made it: other steps name these digests as inputs."""


def _readers(projects: Sequence[Project]) -> Readers:
    readers: dict[str, list[Callable[[Path], str]]] = defaultdict(list)
    for project in projects:
        for step in (*pipeline_of(project).steps, *steps_of(project)):
            for name, read in step.reads.items():
                if read not in readers[name]:
                    readers[name].append(read)
    return readers


def _with_origins(used: set[Path], contents: set[str], manifests: Manifests, readers: Readers) -> set[Path]:
    """Return ``used`` with the artefacts of the contents ``contents``, and with the inputs of all these."""
    digests = {path: _digests(path, manifest, readers) for path, manifest in manifests.items()}
    # Which of several artefacts of one content was meant is not known.
    kept_paths = used | {path for path, manifest in manifests.items() if manifest["content"] in contents}
    while True:
        input_digests = {value for path in kept_paths for value in manifests[path]["inputs"].values()}
        # Different settings may give equal contents: one artefact for each content is enough.
        input_digests -= {digest for path in kept_paths for digest in digests[path]}
        more = {path for path, own_digests in digests.items() if own_digests & input_digests}
        if not more:
            return kept_paths
        kept_paths |= more


def _digests(path: Path, manifest: Mapping[str, Any], readers: Readers) -> set[str]:
    """Return the content of an artefact, and the digests of those parts that steps read of it."""
    digests = {str(manifest["content"])}
    for read in readers.get(str(manifest["step"]), ()):
        try:
            digests.add(read(path))
        except (OssicleError, OSError):
            # An artefact of an earlier version, which no present step can read: it has its content alone.
            continue
    return digests
