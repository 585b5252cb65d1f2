"""Where a bundle is that a user or a project names: a folder, or a reference such as ``registry:drums@current``.

Every command and setting that names a bundle goes through :func:`bundle_folder`.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ossicle.app.project.file_names import DATA_ROOT_VARIABLE, PROJECT_FILE
from ossicle.artefacts.filesystem.links import settled
from ossicle.bundle.registry.references import is_reference, parse_reference
from ossicle.bundle.registry.registry import Registry
from ossicle.core.errors import UsageError

if TYPE_CHECKING:
    from ossicle.app.project.load import Project

REGISTRY_VARIABLE = "OSSICLE_REGISTRY"
HERE = Path()
FOLDER = "registry"
"""The registry in a data root."""


def registry_folder(project: "Project") -> Path:
    """Return the folder of a project's registry.

    It is ``[registry] folder`` if that is set, else ``$OSSICLE_REGISTRY``, else ``registry`` in the data root.
    """
    stated = project.settings.registry.folder
    if stated:
        folder = project.folder / stated
        # A link that came with the project may lead anywhere; one that the user names is the user's own.
        return settled(folder) if project.is_of_user("registry", "folder") else folder
    named = os.environ.get(REGISTRY_VARIABLE)
    return settled(named) if named else project.data_root / FOLDER


def bundle_folder(stated: str | os.PathLike[str], project: "Project | None" = None, relative_to: Path = HERE) -> Path:
    """Return the folder of a bundle.

    Parameters
    ----------
    stated
        A folder, or a reference to a promoted bundle: ``registry:NAME@current``, ``registry:NAME@2``, or
        ``registry:FOLDER/NAME@current`` for the registry in ``FOLDER``.
    project
        The project whose registry is meant. Without one it is that of the project file in the current folder, else
        ``$OSSICLE_REGISTRY``, else ``registry`` in ``$OSSICLE_DATA_ROOT``.
    relative_to
        The folder that relative paths start from.

    Returns
    -------
    Path
        The folder; of a reference, the bundle of the version, whose files were compared with their checksums.

    Raises
    ------
    UsageError
        There is no such registry, name or version.
    BundleError
        A file of the version differs from its checksum.
    """
    text = os.fspath(stated)
    if not is_reference(text):
        return relative_to / text
    reference = parse_reference(text)
    root = settled(relative_to / reference.folder) if reference.folder else _registry_of(project, text)
    return Registry(root).open(reference.name, reference.version).bundle


def registry_here(stated: str, data_root: Path | None = None) -> Path:
    """Return the folder of the registry where no project is named.

    It is that of the project file in the current folder, else ``$OSSICLE_REGISTRY``, else ``registry`` in the data root
    that is given or that ``$OSSICLE_DATA_ROOT`` names.

    Parameters
    ----------
    stated
        What asks for the registry, for the message.
    data_root
        The data root that the user named.

    Raises
    ------
    UsageError
        There is none of these.
    """
    if Path(PROJECT_FILE).is_file():
        # Reading a project file takes a moment, and most commands name a folder.
        from ossicle.app.project.load import load_project

        return registry_folder(load_project(Path(PROJECT_FILE), data_root=data_root))
    if data_root is None and (named := os.environ.get(REGISTRY_VARIABLE)):
        return settled(named)
    if root := data_root or os.environ.get(DATA_ROOT_VARIABLE):
        return settled(root) / FOLDER
    raise UsageError(
        f"{stated}: which registry? Set ${REGISTRY_VARIABLE} to its folder, run the command in a project's folder, or "
        "write the folder before the name, as in registry:PROJECT/data/registry/NAME@current"
    )


def _registry_of(project: "Project | None", text: str) -> Path:
    return registry_here(text) if project is None else registry_folder(project)
