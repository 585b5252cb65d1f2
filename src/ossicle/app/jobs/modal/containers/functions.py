"""The functions that run in Modal's containers, and the app that they belong to.

They are on the level of the module, because a container imports this module by its name. What differs between plans
(volume, GPU, CPU, memory, time) is given to each call. No secret is mounted.
"""

import base64
import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import modal
from modal import exception

from ossicle.app.jobs.modal.containers.container import run_task as run_one
from ossicle.app.jobs.modal.containers.coordinator import coordinate as run_plan
from ossicle.app.jobs.modal.image import IGNORED, LIBRARY, ImageParts, image_parts
from ossicle.app.jobs.modal.sdk import MOUNTED_AT, RETRIES, ModalContainers
from ossicle.app.jobs.modal.service import Containers, Mount
from ossicle.core.errors import EXIT_FAILED, ArtefactError, FetchError

DAY_S = 24 * 3600
NAMED_BY = "OSSICLE_MODAL_APP"


def image_of(parts: ImageParts) -> modal.Image:
    """Return the image of a container.

    Parameters
    ----------
    parts
        What it is made of.

    Returns
    -------
    modal.Image
        Built by Modal when the app is deployed; changes of Ossicle's own files need no build.
    """
    pinned, site = f"{LIBRARY}/constraints.txt", "import site; print(site.getsitepackages()[0])"
    metadata_path = f"{LIBRARY}/ossicle-{parts.version}.dist-info/METADATA"
    return (
        modal.Image.debian_slim(python_version=parts.python)
        .run_commands(_write_command(pinned, "".join(f"{line}\n" for line in parts.constraints)))
        .uv_pip_install(*parts.requirements, extra_options=f"--constraint {pinned}")
        .run_commands(
            _write_command(metadata_path, parts.metadata), f"echo {LIBRARY} > \"$(python -c '{site}')/ossicle.pth\""
        )
        .env({NAMED_BY: parts.name})
        .add_local_dir(parts.package, f"{LIBRARY}/ossicle", ignore=list(IGNORED))
    )


def _write_command(file: str, text: str) -> str:
    """Return the shell command that writes a text to a file; no character of the text is seen by the shell."""
    coded = base64.b64encode(text.encode()).decode()
    return f"mkdir -p {os.path.dirname(file)} && echo {coded} | base64 -d > {file}"


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except exception.Error as problem:
        raise FetchError(f"Modal: {problem}") from problem


class VolumeMount:
    """The volume in a container; see :class:`ossicle.app.jobs.modal.service.Mount`."""

    folder = Path(MOUNTED_AT)

    def __init__(self, name: str) -> None:
        self._volume = modal.Volume.from_name(name)

    def reload(self) -> None:
        """Show what other containers committed."""
        with _answered():
            self._volume.reload()

    def commit(self) -> None:
        """Make what was written visible to others."""
        with _answered():
            self._volume.commit()


def _started(volume: str) -> Containers:
    return ModalContainers(os.environ.get(NAMED_BY, ""), volume)


mounted: Callable[[str], Mount] = VolumeMount
started: Callable[[str], Containers] = _started
"""Open the volume by its name in a container, and start calls from there; a test puts others in their place."""


def _app() -> tuple[modal.App, modal.Image]:
    # In a container the image is there already, and so is its name.
    if not modal.is_local():
        return modal.App(os.environ.get(NAMED_BY, "ossicle"), include_source=False), modal.Image.debian_slim()
    parts = image_parts()
    return modal.App(parts.name, include_source=False), image_of(parts)


app, image = _app()


@app.function(image=image, timeout=DAY_S, retries=RETRIES)
def run_task(volume: str, request: Mapping[str, Any]) -> int:
    """Run one task; see :func:`ossicle.app.jobs.modal.containers.container.run_task`.

    Parameters
    ----------
    volume
        The name of the volume that is mounted.
    request
        Which task.

    Returns
    -------
    int
        Its exit code.
    """
    try:
        return run_one(mounted(volume), request, call=modal.current_function_call_id() or "")
    except Exception:  # noqa: BLE001
        # Modal would send it to the caller, where it looks like an error of the connection.
        traceback.print_exc()
        return EXIT_FAILED


@app.function(image=image, timeout=DAY_S, retries=RETRIES)
def coordinate(volume: str, request: Mapping[str, Any]) -> int:
    """Run the jobs of a plan; see :func:`ossicle.app.jobs.modal.containers.coordinator.coordinate`.

    Parameters
    ----------
    volume
        The name of the volume that is mounted.
    request
        Which plan.

    Returns
    -------
    int
        0.
    """
    try:
        call = modal.current_function_call_id() or ""
        return run_plan(mounted(volume), started(volume), request, call=call)
    except ArtefactError:
        raise
    except Exception as problem:
        # Modal sends it to the caller, where it would look like an error of the connection.
        raise ArtefactError(f"the coordinator failed: {type(problem).__name__}: {problem}") from problem
