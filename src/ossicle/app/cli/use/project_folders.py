"""The folder of a project in place of a bundle: what to give instead."""

from pathlib import Path

from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.artefacts.typed.results.published import PublishedResults
from ossicle.bundle.manifest import MANIFEST
from ossicle.core.errors import UsageError


def refuse_project_folder(bundle: Path, command: str) -> None:
    """Reject a project, or its project file, where a command needs a bundle.

    Parameters
    ----------
    bundle
        What the user gave as the bundle.
    command
        The command without ``ossicle``, for the message.

    Raises
    ------
    UsageError
        It is the folder of a project, or a project file; the message names the bundle, or says how to make one.
    """
    folder = bundle.parent if bundle.name == PROJECT_FILE else bundle
    if not (folder / PROJECT_FILE).is_file() or (bundle / MANIFEST).exists():
        return
    # Reading a project file takes a moment, and most bundles lie in no project's folder.
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.pipeline.needed import require_of_pipeline

    require_of_pipeline(load_project(folder), command)
    own_bundle = PublishedResults(folder).bundle
    raise UsageError(
        f"{bundle} is a project and not a bundle; "
        + (
            f"give its bundle: {own_bundle}"
            if (own_bundle / MANIFEST).is_file()
            else f"it has no bundle yet: run `ossicle run {folder}`, and give {own_bundle}"
        )
    )
