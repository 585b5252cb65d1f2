"""What an image of a container is made of: Python, the libraries of this installation in the same versions, Ossicle."""

import importlib.metadata
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ossicle.artefacts.files import tree_digest
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_regular
from ossicle.core.digest import digest

EXTRAS = ("train", "encoders")
"""The extras of Ossicle in the image: a task may run any step."""
LIBRARY = "/opt/ossicle"
"""The folder of Ossicle in a container."""
IGNORED = ("**/__pycache__", "**/*.pyc")
_CARRIED = "_vendor"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r";\s*(?:(.*?)\s+and\s+)?extra\s*==\s*[\"'](.+?)[\"']\s*$")


@dataclass(frozen=True, slots=True)
class ImageParts:
    """The parts of an image.

    Parameters
    ----------
    python
        Version of Python, as ``3.11``.
    requirements
        Libraries with the ranges of ``pyproject.toml``.
    constraints
        Lines ``NAME==VERSION``, as in ``constraints.txt``.
    package
        The folder of the package ``ossicle`` on this machine.
    metadata
        The text that says which version it is, to libraries that ask.
    version
        The version of Ossicle.
    """

    python: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    package: Path
    metadata: str
    version: str

    @property
    def name(self) -> str:
        """Return a name for everything that runs on this image: the version, and eight digits for the rest."""
        sources = tree_digest(self.package, lambda path: "__pycache__" in path or path.endswith(".pyc"))
        return f"ossicle-{self.version}-{digest([self.python, self.requirements, self.constraints, sources])[:8]}"


def image_parts() -> ImageParts:
    """Return the parts of the image for this installation.

    Returns
    -------
    ImageParts
        Versions that are installed here come before those of ``constraints.txt``, because the versions of decoders are
        part of fingerprints.
    """
    distribution = importlib.metadata.distribution("ossicle")
    package = Path(__file__).resolve().parents[3]
    installed = installed_versions()
    installed.pop("ossicle", None)
    return ImageParts(
        f"{sys.version_info.major}.{sys.version_info.minor}",
        requirements(distribution.requires or (), EXTRAS),
        constraints(_repository_constraints(package), installed),
        package,
        f"Metadata-Version: 2.1\nName: ossicle\nVersion: {distribution.version}\n",
        distribution.version,
    )


def installed_versions() -> dict[str, str]:
    """Return the versions of the libraries that are installed here.

    Returns
    -------
    dict[str, str]
        By normal name; of two of one name, the one that is imported. What other libraries carry within themselves
        (setuptools puts such a folder on the path when it is imported) is not installed.
    """
    versions: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        if _CARRIED not in Path(str(distribution.locate_file(""))).parts:
            versions.setdefault(_normal(str(distribution.metadata["Name"])), distribution.version.partition("+")[0])
    return versions


def requirements(stated: Iterable[str], extras: Iterable[str]) -> tuple[str, ...]:
    """Return what a distribution requires, with some of its extras.

    Parameters
    ----------
    stated
        Its requirements, as its metadata states them.
    extras
        Names of extras.

    Returns
    -------
    tuple[str, ...]
        Without the markers of extras; its own other extras are left out.

    Examples
    --------
    >>> requirements(["numpy>=2", 'torch>=2; extra == "train"', 'x>=1; extra == "live"'], ["train"])
    ('numpy>=2', 'torch>=2')
    """
    required, wanted_extras = [], set(extras)
    for requirement in stated:
        match = _EXTRA.search(requirement)
        if match is None:
            required.append(requirement)
        elif match[2] in wanted_extras and _name(requirement) != "ossicle":
            required.append(requirement[: match.start()] + (f"; {match[1]}" if match[1] else ""))
    return tuple(dict.fromkeys(required))


def constraints(lines: Iterable[str], installed: Mapping[str, str]) -> tuple[str, ...]:
    """Return the versions of an image.

    Parameters
    ----------
    lines
        Lines of ``constraints.txt``.
    installed
        Versions by normal names, which come first.

    Returns
    -------
    tuple[str, ...]
        One line for each library, sorted.

    Examples
    --------
    >>> constraints(["# exact", "NumPy==2.3.0", "scipy==1.1"], {"numpy": "2.4.6"})
    ('numpy==2.4.6', 'scipy==1.1')
    """
    stated = dict(line.split("==", 1) for line in map(str.strip, lines) if "==" in line and not line.startswith("#"))
    versions = {**{_normal(name): version for name, version in stated.items()}, **installed}
    return tuple(f"{name}=={version}" for name, version in sorted(versions.items()))


def _repository_constraints(package: Path) -> list[str]:
    """Return the lines of ``constraints.txt`` if the package is that of a checkout."""
    root = package.parents[1]
    file = root / "constraints.txt"
    if package.parent.name != "src" or not (root / "pyproject.toml").is_file() or not file.is_file():
        return []
    return read_regular(file, MOST_ARTEFACT_BYTES).decode().splitlines()


def _name(requirement: str) -> str:
    match = _NAME.match(requirement)
    return _normal(match[0]) if match else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
