"""Copy results of the same project from another machine with rsync: over ssh, or from a folder.

rsync writes next to the final place until a result is whole. Artefacts are copied one by one, and those that are here
already are skipped. Links are not copied, because they may point to anything.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.app.jobs.folder import JOBS
from ossicle.app.project.load import Project
from ossicle.app.project.places import refuse_links, writing
from ossicle.app.steps.pipeline.pipelines import pipeline_of
from ossicle.app.steps.pipeline.run_project import refuse_foreign_results
from ossicle.artefacts.files import publish, publish_folder
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.shelf import MANIFEST
from ossicle.core.errors import OssicleError, UsageError

_STAGE = ".ossicle-part-pull"
_PARTIAL = 23
"""rsync's exit code for a missing source."""


@dataclass(frozen=True)
class Pulled:
    """One result or artefact: the number of its files, their bytes, and whether it was copied."""

    what: str
    files: int
    size: int
    outcome: str


def extras_of(project: Project) -> dict[str, str]:
    """Return what can be copied besides the results, each with the folder of the data root that holds it."""
    return {**pipeline_of(project).pulled, "logs": JOBS}


def pull_project(
    project: Project, remote: str, extras: Sequence[str], remote_data_root: str = "", *, dry_run: bool = False
) -> list[Pulled]:
    """Copy results, and artefacts of ``extras``, from a project folder on another machine.

    Parameters
    ----------
    project
        The project on this machine.
    remote
        The project folder to copy from: ``HOST:PATH``, or a path.
    extras
        Artefacts to copy besides the results: keys of :func:`extras_of`.
    remote_data_root
        The data root there; empty for the one in the project's settings.
    dry_run
        Whether to only list what would be copied.

    Returns
    -------
    list[Pulled]
        One entry for each result or artefact that exists there.

    Raises
    ------
    UsageError
        rsync is not installed, or ``remote`` would be read as an option.
    OssicleError
        rsync failed, or there are no results; the message holds rsync's output.
    """
    if shutil.which("rsync") is None:
        raise UsageError("rsync is not installed; install it on this machine and on the other one")
    if remote.startswith("-") or not remote.strip():
        raise UsageError(f"{remote!r} contains no folder: write HOST:PATH or a path")
    root = remote.rstrip("/") or "/"
    results = pipeline_of(project).result_names()
    refuse_foreign_results(project, results)
    rows = [row for name in results if (row := _bring(root, name, project.folder / name, dry_run=dry_run)) is not None]
    remote_data = remote_data_root or project.settings.project.data_root
    for extra in extras:
        folder = extras_of(project)[extra]
        for name in _names(f"{root}/{remote_data}/{folder}/"):
            remote_path, target = f"{remote_data}/{folder}/{name}", project.data_root / folder / name
            if (target / MANIFEST).is_file():
                rows.append(Pulled(remote_path, 0, 0, "already here"))
                continue
            if dry_run:
                row = _bring(root, remote_path, target, dry_run=True)
            else:
                with writing(project.data_root):
                    row = _bring(root, remote_path, target, dry_run=False)
            if row is not None:
                rows.append(row)
    if not rows:
        raise OssicleError(f"{remote} contains none of {', '.join(results)}; give the folder of a project that was run")
    return rows


def _bring(root: str, remote_path: str, target: Path, *, dry_run: bool) -> Pulled | None:
    """Copy one file or folder; None if it does not exist there."""
    sizes = _sizes(f"{root}/{remote_path}")
    if sizes is None:
        return None
    if dry_run:
        return Pulled(remote_path, len(sizes), sum(sizes), "")
    make_folder(target.parent)
    # Use the same name each time, so that an interrupted pull resumes.
    stage = target.parent / f"{_STAGE}-{target.name}"
    refuse_links(stage, (stage, target))
    source = f"{root}/{remote_path}"
    if _is_folder(source):
        make_folder(stage)
        _rsync(["--recursive", "--delete", "--partial"], f"{source}/", f"{stage}/")
        publish_folder(stage, target)
    else:
        _rsync([], source, str(stage))
        publish(stage, target)
    return Pulled(remote_path, len(sizes), sum(sizes), "brought")


def _names(source: str) -> list[str]:
    """Return names of the folders directly in ``source``, except unfinished ones; empty if it does not exist."""
    done = _call(["--dirs", "--list-only"], source)
    if done.returncode:
        return []
    folder_names = [line.split(maxsplit=4)[4] for line in done.stdout.splitlines() if line.startswith("d")]
    return sorted(name for name in folder_names if not name.startswith(".") and "/" not in name)


def _is_folder(source: str) -> bool:
    done = _call(["--dirs", "--list-only"], source)
    return done.returncode == 0 and done.stdout.startswith("d")


def _sizes(source: str) -> list[int] | None:
    """Return the sizes in bytes of the files in ``source``; None if it does not exist."""
    done = _call(["--recursive", "--list-only", "--no-human-readable"], source)
    if done.returncode == _PARTIAL:
        return None
    if done.returncode:
        raise OssicleError(f"rsync could not read {source}: {done.stderr.strip()}")
    rows = [line.split(maxsplit=4) for line in done.stdout.splitlines() if line.startswith("-")]
    return [int(row[1].replace(",", "")) for row in rows]


def _rsync(options: list[str], source: str, target: str) -> None:
    done = _call(["--times", *options], source, target)
    if done.returncode:
        raise OssicleError(f"rsync failed (exit code {done.returncode}): {done.stderr.strip()}")


def _call(options: list[str], *places: str) -> subprocess.CompletedProcess[str]:
    # Names are sent unquoted, because no shell on the other machine reads them.
    argv = ["rsync", "--protect-args", *options, "--", *places]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
