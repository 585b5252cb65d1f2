"""``ossicle embed``: embeddings as tables for other tools; ``ossicle similar``: a search in those of a project."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import (
    HERE,
    AudioRootMap,
    DataRoot,
    Json,
    ProjectFile,
    Recordings,
    Set,
    Threads,
    Variant,
    overrides_of,
)
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.cli.use.recording_warnings import rate_of
from ossicle.artefacts.filesystem.reading import what_is_at
from ossicle.audio.decoding.channels import cancel_words
from ossicle.core.errors import EXIT_INCOMPLETE, AudioError, UsageError
from ossicle.core.model_input.channel import MEAN, channel_name
from ossicle.core.model_input.missing_band import missing_words
from ossicle.core.text.counting import counted


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(embed)
    app.command()(similar)


def embed(
    recordings: Recordings,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables; created if missing.")],
    encoder: Annotated[
        str, typer.Option("--encoder", help="Encoder: acoustic, mfcc, logmel, birdnet, beats, hf or onnx.")
    ] = "acoustic",
    path: Annotated[
        str,
        typer.Option(
            "--path", help="Weights of the encoder, for beats, hf and onnx: a file or folder.", show_default=False
        ),
    ] = "",
    layer: Annotated[int, typer.Option("--layer", help="Layer to read, counted from 1; -1: the last.")] = -1,
    rate: Annotated[
        int, typer.Option("--rate", min=0, help="Sample rate of an ONNX encoder; 0: as its metadata say.")
    ] = 0,
    window_s: Annotated[float, typer.Option("--window-s", min=0.01, max=600.0, help="Length of a window.")] = 2.0,
    hop_s: Annotated[
        float | None,
        typer.Option(
            "--hop-s", min=0.01, max=600.0, help="Distance between windows. Default: their length.", show_default=False
        ),
    ] = None,
    channel: Annotated[str, typer.Option(help="Channel: mean, first, loudest, or a number from 1.")] = MEAN,
    threads: Threads = 1,
    as_json: Json = False,
) -> None:
    """Write the embeddings of recordings as Parquet tables: file, start_s, end_s, token, embedding.

    One table for each recording, and `encoder.json` with the description of the encoder. Exit code 3: a recording could
    not be read, or only in part, or is shorter than a window, or a folder has some of other formats; each is listed.
    """
    from ossicle.app.api.features.embeddings import EmbeddingTables, embed_file
    from ossicle.app.cli.use.asked_recordings import asked_recordings
    from ossicle.app.steps.engine.encoders import open_any_encoder
    from ossicle.audio.encoders.settings import EncoderSettings

    try:
        settings = EncoderSettings(name=encoder, path=path, layer=layer, rate=rate)
        heard = channel_name(channel)
    except ValueError as problem:
        raise UsageError(f"--encoder {encoder}: {problem}") from None
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; give a folder")
    opened = open_any_encoder(settings, Path.cwd(), threads)
    if fault := opened.spec.length_fault(round(window_s * opened.spec.rate)):
        raise UsageError(f"--window-s {window_s:g}: a window {fault}; give another length")
    written: list[str] = []
    named, lost = asked_recordings(recordings)
    tables = EmbeddingTables(out, [name for name, _ in named])
    for name, file in named:
        try:
            embeddings = embed_file(file, opened, window_s, hop_s or window_s, heard)
        except AudioError as problem:
            lost.append(str(problem))
            continue
        written.append(str(tables.write(name, embeddings)))
        if embeddings.partial:
            lost.append(f"{name}: read in part ({embeddings.partial}); its embeddings are those of what decodes")
        elif not len(embeddings.values):
            lost.append(f"{name}: is shorter than a window of {window_s:g} s, so it has no embeddings")
        if embeddings.cancel_db is not None:
            warning_text = f"{name}: {cancel_words(embeddings.cancel_db)}; choose one with --channel first or loudest"
            print(printable(warning_text), file=sys.stderr)
        if (found := rate_of(file)) is not None and (message := missing_words(found, opened.spec.rate / 2)):
            print(printable(f"{name}: {message}"), file=sys.stderr)
    tables.write_encoder(opened.spec, window_s, hop_s or window_s)
    if as_json:
        facts = {"encoder": opened.spec.to_json(), "written": written, "lost": lost}
        print(json_text(facts))
    else:
        print(printable(f"{counted(len(written), 'recording')} in {out}, {opened.spec.dim} values a token"))
        if opened.spec.licence:
            print(printable(f"licence of the encoder: {opened.spec.licence}"))
    for line in lost:
        print(printable(line), file=sys.stderr)
    if lost:
        raise typer.Exit(EXIT_INCOMPLETE)


def similar(
    example: Annotated[Path, typer.Argument(help="Audio file with the sound to search for.")],
    project: ProjectFile = HERE,
    start_s: Annotated[float, typer.Option("--start-s", min=0.0, help="Start of the sound in the file.")] = 0.0,
    duration_s: Annotated[
        float | None,
        typer.Option("--duration-s", min=0.01, help="Length of the sound. Default: to the end.", show_default=False),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=100_000, help="Number of stretches to list.")] = 20,
    variant: Variant = "",
    set_: Set = None,
    audio_root_map: AudioRootMap = None,
    data_root: DataRoot = None,
    threads: Threads = 2,
    as_json: Json = False,
) -> None:
    """List the stretches of a project's recordings that are most like a given sound.

    The search is exact: the embedding of the sound is compared with every window (cosine similarity). It needs
    features: `ossicle features build`. Recordings whose sample rate is too low for the encoder are counted on stderr.
    """
    from ossicle.app.api.features.similar import band_notes, find_similar
    from ossicle.app.project.load import load_project

    if not example.exists():
        raise UsageError(f"{example}: {what_is_at(example)}; give an audio file")
    loaded = load_project(project, overrides_of(set_, roots=audio_root_map), data_root, variant)
    stretches = find_similar(loaded, example, start_s=start_s, duration_s=duration_s, most=most, threads=threads)
    for note in band_notes(loaded, example):
        print(printable(note), file=sys.stderr)
    if as_json:
        rows = [
            {"path": stretch.path, "start_s": stretch.start_s, "end_s": stretch.end_s, "similarity": stretch.similarity}
            for stretch in stretches
        ]
        print(json_text(rows))
        return
    cells = [
        (stretch.path, f"{stretch.start_s:.2f}", f"{stretch.end_s:.2f}", f"{stretch.similarity:.3f}")
        for stretch in stretches
    ]
    print_rows(("recording", "start", "end", "similarity"), cells)
