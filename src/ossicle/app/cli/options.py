"""Options that several commands share."""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.printable import printable
from ossicle.app.project.file_names import PROJECT_FILE
from ossicle.app.steps.engine.progress_kinds import PROGRESS_KINDS
from ossicle.core.errors import UsageError
from ossicle.core.value_checks import MOST_THREADS

HERE = Path(PROJECT_FILE)
"""The project file of the current folder, the default of ``--project``."""

EncoderWeights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        help="File or folder of the quantiser's encoder, if it is not built in. Default: the one with its SHA-256 "
        "below the folders of $OSSICLE_ENCODERS.",
        show_default=False,
    ),
]
QuantiserChannel = Annotated[
    str | None,
    typer.Option(
        "--channel",
        help="Channel: mean, first, loudest, or a number from 1. Default: that of the quantiser's project.",
        show_default=False,
    ),
]


def _known_progress(kind: str) -> str:
    """Return the value of ``--progress``; raise UsageError before the command begins if no such kind exists."""
    if kind not in PROGRESS_KINDS:
        raise UsageError(f"--progress {kind} is not one of: {', '.join(PROGRESS_KINDS)}")
    return kind


ProjectFile = Annotated[
    Path, typer.Option("--project", "-p", help="Project file, or the folder that holds its ossicle.toml.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a setting: TABLE.KEY=VALUE, as in training.epochs=8. Repeatable."),
]
Variant = Annotated[
    str,
    typer.Option(
        "--variant",
        help="Use the settings of a variant, \\[variants.NAME] in the project file. Default: no variant.",
        show_default=False,
    ),
]
DataRoot = Annotated[
    Path | None,
    typer.Option(
        help="Folder for the outputs of all steps. Default: $OSSICLE_DATA_ROOT, then `data_root` in the project file.",
        show_default=False,
    ),
]
ProgressKind = Annotated[
    str,
    typer.Option(
        "--progress",
        help="How to show progress on stderr: auto, rich, plain or none.",
        callback=_known_progress,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Threads = Annotated[
    int, typer.Option("--threads", "-t", min=1, max=MOST_THREADS, help="Number of CPU threads for the model.")
]
LabelColumn = Annotated[
    str,
    typer.Option(
        help="Label column: auto alone, or a name, a number from 1, or several of these with commas (the first in a "
        "table counts)."
    ),
]
LabelNames = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="Other name for a label, as FROM=TO, or LABEL for all labels that look like it (case, blanks and "
        "invisible characters do not count). Repeatable.",
        show_default=False,
    ),
]
MAP_OPTION = "--audio-root-map"
"""Option that names the folders of a source of a manifest."""
AudioRootMap = Annotated[
    list[str] | None,
    typer.Option(
        MAP_OPTION,
        help="Folder of the recordings of a source of a manifest: SOURCE=DIR. Repeatable; several folders of one "
        "source are searched in this order, after those of $OSSICLE_ROOT_SOURCE and before that of all sources. In a "
        "project they replace \\[roots] SOURCE.",
        show_default=False,
    ),
]
StopAfter = Annotated[
    float | None,
    typer.Option(
        "--stop-after",
        min=1,
        help="Save and end with exit code 143 after so many seconds, before the limit of a machine or container; the "
        "same command continues.",
        show_default=False,
    ),
]
Recordings = Annotated[list[Path], typer.Argument(help="Recordings, or folders of them (any depth).")]
Device = Annotated[
    str,
    typer.Option(
        help="Device to train and score on: auto, cpu, cuda, cuda:N or mps. Default: the setting in the project file.",
        show_default=False,
    ),
]


def stopping(seconds: float | None) -> AbstractContextManager[None]:
    """Return a block in which ``--stop-after`` holds."""
    from ossicle.artefacts.processes.stopping import stopping_after

    return stopping_after(seconds, lambda line: print(printable(f"ossicle: {line}"), file=sys.stderr, flush=True))


def overrides_of(
    set_: list[str] | None, device: str = "", table: str = "training", roots: list[str] | None = None
) -> tuple[str, ...]:
    """Return the overrides given by ``--set``, ``--device`` and ``--audio-root-map``.

    Parameters
    ----------
    set_
        Values of ``--set``.
    device
        Value of ``--device``; a setting of ``table``.
    table
        The table of the device.
    roots
        Values of ``--audio-root-map``; their folders are those of the current folder, not of the project file.

    Raises
    ------
    UsageError
        A value is not SOURCE=DIR, or a folder does not exist.
    """
    overrides = (*(set_ or ()), *([f"{table}.device={device}"] if device else []))
    if not roots:
        return overrides
    from ossicle.app.project.scaffolding.toml_lines import quoted
    from ossicle.artefacts.roots import parse_root_map

    of_roots = []
    for source, folders in parse_root_map(roots, MAP_OPTION).items():
        require_folders(f"{MAP_OPTION} {source}", folders)
        listed = ", ".join(quoted(str(path.absolute())) for path in folders)
        of_roots.append(f"roots.{quoted(source)}=[{listed}]")
    return (*overrides, *of_roots)


def require_folders(option: str, folders: Iterable[Path]) -> None:
    """Raise UsageError for a folder of an option that does not exist."""
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{option}: the folder {folder} does not exist; correct the path, or connect the disk")
