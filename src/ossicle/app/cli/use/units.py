"""``ossicle units``: acoustic units of any file, those of a project in other forms, and units to sound."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    EncoderWeights,
    Json,
    ProgressKind,
    ProjectFile,
    QuantiserChannel,
    Recordings,
    Set,
    Threads,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.cli.use.unit_sounds import resynth, vocoder
from ossicle.core.errors import EXIT_INCOMPLETE, AudioError, UsageError
from ossicle.core.model_input.channel import channel_name
from ossicle.core.text.counting import counted

group = typer.Typer(
    help="Turn recordings into acoustic units with a trained quantiser, write those of a project in other "
    "forms, and turn units back into sound with a trained vocoder.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command()(encode)
    group.command()(export)
    group.command()(vocoder)
    group.command()(resynth)
    app.add_typer(group, name="units")


def encode(
    quantiser: Annotated[Path, typer.Argument(help="Folder `quantiser` of a finished project.")],
    recordings: Recordings,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for a JSON file for each recording; created if missing.", show_default=False
        ),
    ] = None,
    cut: Annotated[
        bool,
        typer.Option(
            "--cut",
            help="Cut recordings at silences first, by \\[segments] of the quantiser's project. Default: each file is "
            "one segment.",
        ),
    ] = False,
    one_group: Annotated[
        bool,
        typer.Option(
            "--one-group",
            help="All recordings are of one speaker, microphone or other group: take mean and scale from all of them. "
            "Default: from each recording.",
        ),
    ] = False,
    weights: EncoderWeights = None,
    channel: QuantiserChannel = None,
    threads: Threads = 1,
    progress: ProgressKind = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print units and runs with their times, one line of JSON for each recording.")
    ] = False,
) -> None:
    """Turn recordings into acoustic units: which unit from when to when.

    Runs are units without repeats; their times are seconds from the start of the file. The encoder must be the one
    that the quantiser was trained with; another layer, hop or sample rate is refused. Exit code 3: a recording could
    not be read, or only in part, or has no unit, or a folder has some of other formats; each is listed.
    """
    from ossicle.app.api.units.encoding import UnitEncoder
    from ossicle.app.cli.use.asked_recordings import asked_recordings
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.artefacts.files import write_json
    from ossicle.artefacts.logs.noted_files import NotedFiles
    from ossicle.corpus.naming.table_names import table_places

    try:
        chosen = None if channel is None else channel_name(channel)
    except ValueError as problem:
        raise UsageError(f"--channel {channel}: {problem}") from None
    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; give a folder")
    encoder = UnitEncoder(quantiser, weights, threads)
    named, unread = asked_recordings(recordings)
    unit_files = {name: f"{place.as_posix()}.units.json" for name, place in table_places([n for n, _ in named]).items()}
    noted = None if out is None else NotedFiles(out)
    if noted is not None:
        noted.refuse(unit_files.values())
    settings, heard = encoder.cut if cut else None, chosen or encoder.channel
    group_statistics = None
    rows: list[tuple[str, ...]] = []
    lost = list(unread)
    rates: dict[str, int] = {}
    with make_progress(progress) as shown:
        shown.begin("units encode")
        if one_group:
            files = [file for _, file in named]
            group_statistics = encoder.group_statistics(
                files, settings, heard, lambda number: shown.advance(number, len(files), "recordings read")
            )
        for number, (name, file) in enumerate(named, start=1):
            try:
                encoded_file = encoder.encode(file, settings, heard, group_statistics)
            except AudioError as problem:
                lost.append(str(problem))
                continue
            if encoded_file.loss:
                lost.append(f"{name}: {encoded_file.loss}")
            if encoded_file.cancelled:
                print(printable(f"{name}: {encoded_file.cancelled}"), file=sys.stderr)
            if encoded_file.without:
                continue
            rates[name] = encoded_file.rate
            described = encoder.described(name, encoded_file, settings, heard)
            if out is not None and noted is not None:
                with noted.writing(out / unit_files[name]) as part:
                    write_json(part, described)
            if as_json:
                print(json_text(described, indent=None))
            frames = sum(len(segment.units) for segment in encoded_file.segments)
            different = {run["unit"] for run in described["runs"]}
            counts = (len(encoded_file.segments), frames, len(described["runs"]), len(different))
            rows.append((name, f"{encoded_file.duration_s:.2f}", *map(str, counts)))
            shown.advance(number, len(named), "recordings encoded")
    slow = encoder.slow_in_words(rates)
    if not as_json:
        print_rows(("recording", "seconds", "segments", "frames", "runs", "different units"), rows)
        for line in encoder.heard_in_words(settings, heard):
            print(printable(line))
        if out is not None:
            print(printable(f"{counted(len(rows), 'file')} in {out}"))
    if slow:
        print(printable(slow), file=sys.stderr)
    for line in lost:
        print(printable(line), file=sys.stderr)
    if lost:
        raise typer.Exit(EXIT_INCOMPLETE)


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files; created if missing.")],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="Form: json, a line for each segment with units and timed runs; text, a line of units for each "
            "segment, with and without repeats; old, the corpus and BPE files of earlier scripts.",
        ),
    ] = "json",
    project: ProjectFile = HERE,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    as_json: Json = False,
) -> None:
    """Write the unit sequences of a finished project as JSON lines, as text, or as the files of earlier scripts.

    `text` writes units.txt (frame by frame), runs.txt (without repeats) and segments.txt (start, end and recording of
    the same lines). `old` writes NAME_corpus_timestamped.json and all_units_for_bpe.txt; its timestamps are the centres
    of the frames.
    """
    from ossicle.app.api.units.export import FORMATS, export_sequences, finished_sequences
    from ossicle.app.project.load import load_project

    if form not in FORMATS:
        raise UsageError(f"--format {form} is not one of: {', '.join(FORMATS)}")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; give a folder")
    sequences = finished_sequences(load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant))
    written = [str(path) for path in export_sequences(sequences, out, form)]
    if as_json:
        print(json_text({"written": written, "segments": int(sequences.sequences.summary["segments"])}))
        return
    print(printable(f"{counted(int(sequences.sequences.summary['segments']), 'segment')} in {', '.join(written)}"))
