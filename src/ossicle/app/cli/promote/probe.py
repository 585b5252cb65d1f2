"""``ossicle probe``: judge a warm-up before the training that starts from it."""

import typer

from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Device,
    Json,
    ProgressKind,
    ProjectFile,
    Set,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import load_project


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(probe)


def probe(
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    device: Device = "",
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Judge a part of the held-out clips of a warm-up by the limits of the probe gate. Exit code 4: refused.

    The limits are in \\[probe_gate] of the project file. Missing steps run first, up to the scores of the clips.
    `ossicle run` and `ossicle train` do the same before a variant with `training.init_from`, and do not start it if the
    gate refuses.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.probe import probe as probe_run
    from ossicle.evaluation.gates.gate_line import gate_table

    loaded = load_project(project, overrides_of(set_, device, roots=audio_root_map), data_root, variant)
    with make_progress(progress) as shown:
        probe_result = probe_run(loaded, shown)
    if as_json:
        print(json_text(probe_result.to_json()))
    else:
        print_rows(("gate", "value", "limit", "result"), gate_table(probe_result.lines))
        zeros = (
            f"; no clip was recognised of: {', '.join(probe_result.zero_recall)}" if probe_result.zero_recall else ""
        )
        print(printable(f"{probe_result.name}: {probe_result.n_clips} held-out clips{zeros}"))
    if (refusal := probe_result.refusal) is not None:
        raise refusal
