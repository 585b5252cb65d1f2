"""Whether the folders of every root of a project are there and hold something."""

import os
from collections.abc import Iterator

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.artefacts.roots import how_to_name


def root_findings(project: Project) -> Iterator[Finding]:
    """Check the folders of ``[roots]`` and of the environment.

    A root of which no folder holds anything blocks a run; a missing folder beside a good one is a warning.
    """
    for name in project.roots.names:
        folders = [folder for folder in project.roots.folders(name) if folder != project.audio_folder]
        faults = {folder: fault for folder in folders if (fault := _fault(folder))}
        message = "; ".join(f"{folder} {fault}" for folder, fault in faults.items())
        if len(faults) == len(folders):
            yield Finding(f"root {name}", False, f"{message or 'has no folder'}; {how_to_name(name)}")
        else:
            good = ", ".join(str(folder) for folder in folders if folder not in faults)
            yield Finding(f"root {name}", True, f"{good}{f'; {message}' * bool(message)}", warns=bool(faults))


def _fault(folder: "os.PathLike[str]") -> str:
    """Return what is wrong with a folder; empty if it holds something."""
    try:
        with os.scandir(folder) as entries:
            return "" if next(entries, None) is not None else "is empty"
    except FileNotFoundError:
        return "does not exist"
    except NotADirectoryError:
        return "is not a folder"
    except OSError as problem:
        return f"cannot be opened ({problem.strerror})"
