"""Where a plan is in Modal, as the folder of the plan on this machine records it."""

from dataclasses import asdict, dataclass
from pathlib import Path

from ossicle.app.jobs.modal.orders import DATA, VolumePlan
from ossicle.app.project.tables.modal import ModalSettings
from ossicle.artefacts.files import read_json, write_json
from ossicle.core.errors import ArtefactError

FORMAT_VERSION = 1
_TARGET = "modal.json"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a plan is in Modal: the volume, the folder of the project in it, the plan's name, and its coordinator."""

    volume: str
    prefix: str
    plan: str
    coordinator: str = ""

    def place(self, name: str = "") -> str:
        """Return the folder of the plan, or one in it, as a path in the volume."""
        return "/".join(part for part in (self.prefix, DATA, "jobs", self.plan, name) if part)


def read_target(folder: Path) -> Target | None:
    """Return where a plan is in Modal.

    Parameters
    ----------
    folder
        The folder of the plan on this machine.

    Returns
    -------
    Target or None
        None if nothing was submitted to Modal.

    Raises
    ------
    ArtefactError
        The record is damaged, or names something that can be no volume or folder.
    """
    file = folder / _TARGET
    if not file.exists():
        return None
    value = read_json(file)
    try:
        if value.pop("format") != FORMAT_VERSION:
            raise ValueError("another format")
        target = Target(**{key: str(text) for key, text in value.items()})
        ModalSettings(volume=target.volume, prefix=target.prefix)
        VolumePlan(Path("/"), target.prefix, target.plan)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ArtefactError(f"{file} names no plan on Modal ({problem}); submit the jobs again") from problem
    return target


def write_target(folder: Path, target: Target) -> None:
    """Record where a plan is in Modal.

    Parameters
    ----------
    folder
        The folder of the plan on this machine.
    target
        Where it is.
    """
    write_json(folder / _TARGET, {"format": FORMAT_VERSION, **asdict(target)})
