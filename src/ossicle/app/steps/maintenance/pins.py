"""Pins: names for results that ``ossicle purge`` keeps, whatever the settings are by now.

A pin is a small file in the data root with the content digests of artefacts. It holds no paths, so the root can be
moved, and every project with this data root respects it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.pipelines import pipeline_of, steps_of
from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.filesystem.changes import make_folder, remove_file
from ossicle.artefacts.shelf import Shelf
from ossicle.bundle.manifest import is_plain_name
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.core.text.suggestion import did_you_mean

FOLDER = "pins"
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Pin:
    """A named set of artefacts: content digests by step, when and of what it was made."""

    name: str
    made_of: str
    created: str
    contents: Mapping[str, str]


def pins(data_root: Path) -> list[Pin]:
    """Return the pins of a data root, sorted by name.

    Raises
    ------
    ArtefactError
        A file of the folder is no pin; nothing can be purged before it is repaired or removed.
    """
    return [_read(file) for file in sorted((data_root / FOLDER).glob(f"*{_SUFFIX}"))]


def pin(project: Project, name: str, bundle: Path | None = None, *, replace: bool = False) -> Pin:
    """Keep the finished artefacts of a project, or those that a bundle was made from.

    Parameters
    ----------
    project
        The project or variant whose finished artefacts are kept, with all that they were made from.
    name
        The name of the pin.
    bundle
        A bundle, anywhere, that was made in this data root; None for the present settings of the project.
    replace
        Whether to replace a pin of this name.

    Raises
    ------
    UsageError
        The name is taken or not plain, nothing is finished, or the bundle names no artefact of this data root.
    LockedError
        A run writes to the data root.
    """
    file = _file(project.data_root, name)
    if file.exists() and not replace:
        raise UsageError(f"there is a pin {name!r} already; choose another name, or --force to replace it")
    shelf = Shelf(project.data_root)
    if bundle is None:
        artefacts = {step: path for step, path in find_steps(steps_of(project), project).items() if path is not None}
        contents = {step: shelf.content(path) for step, path in artefacts.items()}
        made_of = f"variant {project.variant}" if project.variant else "the project"
        if not contents:
            raise UsageError("nothing is finished under these settings, so there is nothing to keep; run it first")
    else:
        contents = _of_bundle(project, bundle, shelf)
        made_of = f"the bundle {bundle.name}"
    with writing(project.data_root):
        return keep(project.data_root, name, made_of, contents)


def unfinished_in_words(project: Project) -> str:
    """Return which steps and results a pin of a project does not keep because they are not finished.

    Parameters
    ----------
    project
        The project or variant.

    Returns
    -------
    str
        Words for the user; empty if all steps are finished.
    """
    unfinished = [step for step, path in find_steps(steps_of(project), project).items() if path is None]
    if not unfinished:
        return ""
    pipeline = pipeline_of(project)
    present = {step.name for step in pipeline.steps_of(project)}
    lacking = [
        result.name
        for result in pipeline.published
        if not result.optional and (made_by := present & {*result.steps}) and made_by <= {*unfinished}
    ]
    results = f", so it keeps no {', '.join(lacking)}" if lacking else ""
    are = "step is" if len(unfinished) == 1 else "steps are"
    return (
        f"{len(unfinished)} {are} not finished ({', '.join(unfinished)}){results}; run them and pin again with --force"
    )


def keep(data_root: Path, name: str, made_of: str, contents: Mapping[str, str]) -> Pin:
    """Write a pin, complete or not at all; it replaces one of the same name.

    This takes no lock: a promotion or an archive must not wait for a training in the same data root.

    Parameters
    ----------
    data_root
        The data root.
    name
        The name of the pin.
    made_of
        What it keeps, in words.
    contents
        Content digests by step.
    """
    file = _file(data_root, name)
    new_pin = Pin(name, made_of, datetime.now(UTC).isoformat(timespec="seconds"), contents)
    make_folder(file.parent)
    write_json(file, {"made_of": new_pin.made_of, "created": new_pin.created, "contents": dict(new_pin.contents)})
    return new_pin


def unpin(data_root: Path, name: str) -> None:
    """Remove a pin; its artefacts stay until the next purge.

    Raises
    ------
    UsageError
        There is no such pin.
    """
    file = _file(data_root, name)
    if not file.is_file():
        known = [pin.name for pin in pins(data_root)]
        raise UsageError(f"there is no pin {name!r}; {did_you_mean(name, known) or 'there are none'}")
    with writing(data_root):
        remove_file(file)


def _of_bundle(project: Project, bundle: Path, shelf: Shelf) -> dict[str, str]:
    named = {
        content
        for result in pipeline_of(project).published
        for content in (*result.made_from(bundle), *result.made_from(bundle / result.name))
    }
    manifests = [shelf.manifest(file.parent) for file in sorted(shelf.root.glob("*/*/artefact.json"))]
    contents = {
        str(manifest["step"]): str(manifest["content"]) for manifest in manifests if manifest["content"] in named
    }
    if not contents:
        raise UsageError(f"{bundle}: names no artefact of {project.data_root}; give a bundle that was made there")
    return contents


def _file(data_root: Path, name: str) -> Path:
    if not is_plain_name(name):
        raise UsageError(f"{name!r} is not a plain name (letters, digits, '.', '_', '-'; no path)")
    return data_root / FOLDER / f"{name}{_SUFFIX}"


def _read(file: Path) -> Pin:
    value = read_json(file)
    contents = value.get("contents") if isinstance(value, dict) else None
    if not isinstance(contents, dict) or not all(isinstance(content, str) for content in contents.values()):
        raise ArtefactError(f"{file}: is no pin; repair or remove it, because purge keeps what it names")
    return Pin(file.stem, str(value.get("made_of", "")), str(value.get("created", "")), contents)


def pinned_contents(data_root: Path) -> Sequence[str]:
    """Return the content digests that all pins of a data root name."""
    return [content for pin in pins(data_root) for content in pin.contents.values()]
