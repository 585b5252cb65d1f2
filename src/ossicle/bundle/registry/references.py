"""References to promoted bundles: ``registry:NAME@current``, ``registry:NAME@2``, ``registry:FOLDER/NAME@current``."""

import re
from dataclasses import dataclass

from ossicle.bundle.manifest import is_plain_name
from ossicle.core.errors import UsageError

PREFIX = "registry:"
CURRENT = "current"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference: the name, the version (None for the current one), and the folder of the registry if it is stated."""

    name: str
    version: int | None = None
    folder: str = ""

    def __str__(self) -> str:
        version = CURRENT if self.version is None else self.version
        return f"{PREFIX}{f'{self.folder}/' if self.folder else ''}{self.name}@{version}"


def is_reference(stated: str) -> bool:
    """Return whether a text names a bundle in a registry, and not a folder."""
    return stated.startswith(PREFIX)


def parse_reference(stated: str) -> Reference:
    """Return the parts of a reference.

    Parameters
    ----------
    stated
        ``registry:NAME@current`` or ``registry:NAME@2``; without ``@`` the current version is meant. A folder before
        the name (``registry:work/hits/data/registry/drums@2``) says which registry it is in.

    Raises
    ------
    UsageError
        The text is no such reference.

    Examples
    --------
    >>> parse_reference("registry:drums@2")
    Reference(name='drums', version=2, folder='')
    >>> str(parse_reference("registry:drums"))
    'registry:drums@current'
    """
    folder, slash, rest = stated.removeprefix(PREFIX).replace("\\", "/").rpartition("/")
    name, _, version = rest.partition("@")
    if not is_plain_name(name):
        raise UsageError(
            f"{stated}: {name!r} is not a plain name (letters, digits, '.', '_', '-'); write {PREFIX}NAME@{CURRENT} or "
            f"{PREFIX}NAME@2"
        )
    if slash and not folder:
        folder = "/"
    if version in ("", CURRENT):
        return Reference(name, None, folder)
    if not _NUMBER.fullmatch(version):
        raise UsageError(
            f"{stated}: {version!r} is not a version; write @{CURRENT} or a number, as in {PREFIX}{name}@2"
        )
    return Reference(name, int(version), folder)
