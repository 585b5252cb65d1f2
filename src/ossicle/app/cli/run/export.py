"""``ossicle export``: a project's bundle in further precisions, with the loss and speed of each."""

import sys
from pathlib import Path
from typing import Annotated

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
    Threads,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.project.load import Project, load_project
from ossicle.bundle.extend import refuse_other_content
from ossicle.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the new bundle; must not exist, unless --force is given.")
    ],
    project: ProjectFile = HERE,
    variant: Variant = "",
    precision: Annotated[
        str,
        typer.Option(
            help="Precisions to add to fp32, comma-separated: bf16 and fp16 (half the size), int8 (calibrated on "
            "training recordings)."
        ),
    ] = "bf16,int8",
    folds: Annotated[
        bool, typer.Option("--folds", help="Also write one graph that averages the models of all folds.")
    ] = False,
    waveform: Annotated[
        bool,
        typer.Option(
            "--waveform", help="Also write graphs that take the waveform as input, for use in other programs."
        ),
    ] = False,
    self_contained: Annotated[
        bool,
        typer.Option(
            "--self-contained",
            help="Of a head on an encoder: copy the bundle with the file of its encoder inside, if the licence allows.",
        ),
    ] = False,
    threads: Threads = 1,
    budget_minutes: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Report whether --audio-hours of sound are processed within these minutes.",
            show_default=False,
        ),
    ] = None,
    audio_hours: Annotated[
        float | None, typer.Option(min=0.0, help="Hours of sound for --budget-minutes.", show_default=False)
    ] = None,
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    device: Device = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing bundle, or an empty folder.")] = False,
    data_root: DataRoot = None,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Export the final model in several precisions, and measure the accuracy and speed of each.

    Missing steps of the project run first, up to its bundle. A head on an encoder has one graph in one precision: with
    `--self-contained` its bundle is copied with the encoder inside.

    Every graph is compared with torch: float32 must agree within 1e-4, and half precision must give the same top class
    in 99 % of frames, else the exit code is 1. int8 may lose at most `export.int8_auc_drop` (0.005) of the out-of-fold
    macro ROC AUC, else the exit code is 4. Settings: the table \\[export] of the project file.
    """
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.needed import require_of_pipeline
    from ossicle.app.steps.pipeline.pipelines import pipeline_of
    from ossicle.app.steps.pipeline.run_project import run_project
    from ossicle.app.steps.release import bundle as bundle_step
    from ossicle.app.steps.release.export.request import ExportRequest, precisions_asked
    from ossicle.export.speed import Budget

    if (budget_minutes is None) != (audio_hours is None):
        raise UsageError("--budget-minutes and --audio-hours must be given together")
    budget = None if budget_minutes is None or audio_hours is None else Budget(budget_minutes, audio_hours)
    request = ExportRequest(precisions_asked(precision), folds, waveform, threads, budget)
    if out.exists() and not force:
        raise UsageError(f"--out {out} exists; choose another folder, or add --force to overwrite it")
    # Before the steps that may run first.
    refuse_other_content(out)
    loaded = load_project(project, overrides_of(set_, device, roots=audio_root_map), data_root, variant)
    require_of_pipeline(loaded, "export")
    if folds and not loaded.settings.split.kind.judges_recordings:
        raise UsageError(f"--folds: split.strategy = {loaded.settings.split.strategy!r} trains no fold models")

    heads = not pipeline_of(loaded).front_end(loaded)
    if heads and not self_contained:
        raise UsageError(
            f"{loaded.file}: its models are heads on an encoder, with one graph in one precision: use the bundle of "
            "`ossicle run` as it is, or add --self-contained to put the encoder's file into a copy of it"
        )
    if self_contained and not heads:
        raise UsageError(f"--self-contained: the models of {loaded.file} read no encoder; leave the option out")
    if self_contained:
        _with_encoder(loaded, out, progress, force=force, as_json=as_json)
        return

    from ossicle.app.steps.release.export import output_bundle, run

    settings = loaded.settings.export
    with make_progress(progress) as shown:
        done = run_project(loaded, shown, until=bundle_step.STEP.name)
        exported = run.export(loaded, done, request, shown)
    export_report = output_bundle.report(exported, request, settings)
    if not as_json:
        print_rows(*output_bundle.table(export_report))
    output_bundle.require_allowed(exported, settings)
    bundle = output_bundle.write_export(exported, export_report, out, replace=force)
    if as_json:
        print(json_text(export_report))
    else:
        for line in [*output_bundle.verdicts(export_report), *output_bundle.unmeasured_in_words(export_report)]:
            print(printable(line))
        print(printable(f"wrote {out}: {', '.join(name for name in sorted(bundle.files) if name.endswith('.onnx'))}"))
    if bundle.metrics.get("gate") == "refused":
        print(printable(f"{out}: the noise gate refused this bundle; see its CARD.md"), file=sys.stderr)


def _with_encoder(loaded: Project, folder: Path, progress: ProgressKind, *, force: bool, as_json: bool) -> None:
    """Write a copy of the project's bundle with its encoder inside."""
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.app.steps.pipeline.run_project import run_project
    from ossicle.app.steps.release.self_contained import write_self_contained
    from ossicle.artefacts.typed.results.released import BundleFolder
    from ossicle.bundle.format import read_bundle

    with make_progress(progress) as shown:
        done = run_project(loaded, shown, until=BundleFolder.step)
    own_bundle = read_bundle(BundleFolder.among(done.artefacts).bundle)
    bundle = write_self_contained(loaded, own_bundle, folder, replace=force)
    files, description = sorted(bundle.files), str(bundle.provenance["self_contained"])
    if as_json:
        print(json_text({"files": files, "self_contained": description}))
    else:
        print(printable(f"wrote {folder}: {description}"))
