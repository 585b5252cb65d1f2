"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

ProjectFile = Annotated[
    Path, typer.Option("--project", "-p", help="Project file, or the folder that holds its ossicle.toml.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a setting: TABLE.KEY=VALUE, as in training.epochs=8; may be repeated."),
]
Variant = Annotated[
    str,
    typer.Option("--variant", help="A variant of the project, \\[variants.NAME]; none: as it is.", show_default=False),
]
DataRoot = Annotated[
    Path | None,
    typer.Option(
        help="Folder for artefacts; else $OSSICLE_DATA_ROOT, else `data_root` of the project file.", show_default=False
    ),
]
ProgressKind = Annotated[str, typer.Option("--progress", help="auto, rich, plain or none; goes to stderr.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Threads = Annotated[int, typer.Option("--threads", "-t", min=1, help="Threads of the runtime.")]
Device = Annotated[
    str,
    typer.Option(
        help="Where to train and score: auto, cpu, cuda, cuda:N or mps; else as the project file says.",
        show_default=False,
    ),
]


def overrides_of(set_: list[str] | None, device: str = "", table: str = "training") -> tuple[str, ...]:
    """What ``--set`` and ``--device``, a setting of ``table``, override."""
    return (*(set_ or ()), *([f"{table}.device={device}"] if device else []))
