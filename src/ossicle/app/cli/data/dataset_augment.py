"""``ossicle dataset augment``: show how augmentation changes a crop."""

from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import HERE, AudioRootMap, DataRoot, ProgressKind, ProjectFile, Set, Variant, overrides_of
from ossicle.app.cli.printable import printable
from ossicle.artefacts.typed.results.recognised import refuse_other_file
from ossicle.core.errors import UsageError


def augment(
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")],
    project: ProjectFile = HERE,
    variant: Variant = "",
    recording: Annotated[
        str,
        typer.Option(
            help="Recording to show: its path below the audio folder, or its file name. Default: any.",
            show_default=False,
        ),
    ] = "",
    seed: Annotated[
        int,
        typer.Option(min=0, help="Seed for the choice of the crop, of the clips mixed in, and of all random values."),
    ] = 0,
    always: Annotated[
        bool, typer.Option("--always", help="Apply every stage that is switched on, whatever its probability.")
    ] = False,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
) -> None:
    """Write a page that shows and plays one crop after each augmentation stage, and explains the settings."""
    from ossicle.app.project.load import load_project
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.maintenance.augmentation_page import Wanted, show_augmentation
    from ossicle.app.steps.pipeline.pipelines import pipeline_of

    refuse_other_file(out, "give another name with -o")
    with make_progress(progress) as shown:
        loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
        if not pipeline_of(loaded).front_end(loaded):
            raise UsageError(
                f"{loaded.file}: its models are heads on an encoder, which no stage of [augment] reaches; see "
                "[features] copies for augmented copies of windows"
            )
        path = show_augmentation(loaded, out, Wanted(recording=recording, seed=seed, always=always), shown)
    print(printable(f"{path} after each stage: {out}"))
