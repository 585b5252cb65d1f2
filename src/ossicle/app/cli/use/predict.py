"""Commands that run a bundle on recordings: ``predict`` and ``stream``. They import torch only on request."""

import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.api.bundles.engine import RUNTIMES
from ossicle.app.api.bundles.loaded_bundle import LoadedBundle, load_bundle
from ossicle.app.api.predictions.hit_answers import FILE as HITS_FILE
from ossicle.app.api.predictions.hit_answers import (
    HITS,
    HitAnswer,
    answer_of,
    gives_answers,
    require_answers,
    write_answers,
)
from ossicle.app.api.predictions.prediction_tables import PredictionTables
from ossicle.app.api.predictions.recording_prediction import RecordingPrediction
from ossicle.app.api.predictions.transcripts import TRANSCRIPT_FORMATS, VELOCITIES, MidiChoices, transcripts
from ossicle.app.api.states.state_tables import STATE_FORMATS
from ossicle.app.cli.options import Json, Recordings, Threads
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.app.cli.use.asked_recordings import asked_recordings
from ossicle.app.cli.use.cutouts import Pad
from ossicle.app.cli.use.finished_recordings import EVENTS, Finished, file_state, predicted_with
from ossicle.app.cli.use.output_tables import tables_of_events
from ossicle.app.cli.use.prediction_summary import SUMMARY, in_words, write_summary
from ossicle.app.cli.use.project_folders import refuse_project_folder
from ossicle.app.cli.use.recording_warnings import warn_of_recording
from ossicle.app.cli.use.state_commands import StateOptions, predict_states, print_changes
from ossicle.artefacts.filesystem.changes import writable_folders
from ossicle.artefacts.filesystem.reading import what_is_at
from ossicle.artefacts.locks.lock import project_lock
from ossicle.audio.decoding.decode import DecodeReport
from ossicle.core.errors import EXIT_INCOMPLETE, UsageError
from ossicle.core.model_input.channel import channel_name
from ossicle.corpus.clips.event_cutouts import CutOuts
from ossicle.corpus.formats.registry import EVENT_FORMATS
from ossicle.inference.batch import EmittedEvent
from ossicle.live.lines import event_line

BundleFolder = Annotated[
    Path,
    typer.Argument(help="Bundle folder, as written by `ossicle run`, or registry:NAME@current of a promoted one."),
]
Runtime = Annotated[str, typer.Option(help=f"Library that runs the model: {', '.join(RUNTIMES)}.")]
Precision = Annotated[
    str,
    typer.Option(
        help="Number format of the model: fp32; bf16 (about twice as fast with --runtime openvino on processors that "
        "support it); fp16 and int8 need a bundle from `ossicle export`, which reports the accuracy of each."
    ),
]
Device = Annotated[str, typer.Option(help="Device for --runtime torch: auto, cpu, cuda, cuda:N or mps.")]
Folds = Annotated[
    bool, typer.Option("--folds", help="Average the models of all folds; needs a bundle from `ossicle export --folds`.")
]
Channel = Annotated[
    str,
    typer.Option(
        help="Channel to read: mean, first, loudest, or a number from 1; by default the one of the bundle.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(predict)
    app.command()(stream)


def predict(
    bundle: BundleFolder,
    files: Recordings,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; created if missing.")],
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"Tables to write, comma-separated: {', '.join((*EVENT_FORMATS, *TRANSCRIPT_FORMATS, HITS))}; by "
            "default raven,csv. midi and json are transcripts, a file for each recording; hits is one label for "
            "each recording, of a bundle for single hits, and then a default too (docs/drums.md). Of states: "
            f"{', '.join(STATE_FORMATS)}; by default json,csv.",
            show_default=False,
        ),
    ] = "",
    runtime: Runtime = "onnx",
    precision: Precision = "fp32",
    folds: Folds = False,
    threads: Threads = 1,
    device: Device = "auto",
    channel: Channel = "",
    batch: Annotated[
        int, typer.Option("--batch", "-b", min=1, max=1024, help="Number of chunks to score at a time.")
    ] = 8,
    cutouts: Annotated[
        Path | None,
        typer.Option("--cutouts", help="Also write each event as an audio file to this folder.", show_default=False),
    ] = None,
    pad_s: Pad = 0.0,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Score all recordings again, even those already finished in this folder. Tables that you corrected "
            "are kept as NAME.bak.",
        ),
    ] = False,
    expect: Annotated[
        Path | None,
        typer.Option(
            "--expect",
            help="Of states: also compare them with this table, such as the files.csv of a project, and print expected "
            "against found. Exit code 1: something differs.",
            show_default=False,
        ),
    ] = None,
    scores_only: Annotated[
        bool, typer.Option("--scores-only", help="Of states: write the scores of all windows, without a decision.")
    ] = False,
    midi_note: Annotated[
        list[str] | None,
        typer.Option(
            "--midi-note",
            metavar="LABEL=NOTE",
            help="With --format midi: the note of a label, 0 to 127; repeatable. Known drums have their General MIDI "
            "note.",
            show_default=False,
        ),
    ] = None,
    midi_velocity: Annotated[
        str,
        typer.Option(
            "--midi-velocity", help=f"With --format midi: what velocities follow, {' or '.join(VELOCITIES)} of a hit."
        ),
    ] = VELOCITIES[0],
    as_json: Json = False,
) -> None:
    """Find events in recordings and write them as tables.

    Files that cannot be read, and files of a folder whose format is not read, are listed: exit code 3.

    The tables of a recording are written as soon as it is done. After an interruption, run the same command again: it
    skips recordings that are finished and unchanged, as long as the bundle and the settings are the same. A bundle that
    knows states (on, off, unknown) writes these instead of events, in tables of all recordings at the end; see
    docs/states.md.
    """
    options = StateOptions(expect, scores_only, force)
    # Known before the model is loaded; which of the two kinds is wanted is known afterwards.
    requested = _known_formats(formats or "csv", (*EVENT_FORMATS, *TRANSCRIPT_FORMATS, HITS, *STATE_FORMATS))
    choices = MidiChoices(midi_note or (), midi_velocity)
    choices.require_midi(requested)
    refuse_project_folder(bundle, "predict")
    opened = load_bundle(
        bundle,
        runtime,
        threads=threads,
        precision=precision,
        folds=folds,
        device=device,
        batch_chunks=batch,
        channel=asked_channel(channel),
    )
    warn_if_refused(opened)
    if opened.gives_states:
        if cutouts is not None:
            raise UsageError("--cutouts writes events as files, and this bundle gives states: leave it out")
        predict_states(
            opened, files, out, _known_formats(formats or "json,csv", STATE_FORMATS), options, as_json=as_json
        )
        return
    if options.given:
        raise UsageError(f"{options.given} is for bundles of states, and this one finds events: leave it out")
    usual = f"raven,csv,{HITS}" if gives_answers(opened.manifest) else "raven,csv"
    chosen_formats = _known_formats(formats or usual, (*EVENT_FORMATS, *TRANSCRIPT_FORMATS, HITS))
    if HITS in chosen_formats:
        require_answers(opened.manifest)
    audio, unread = asked_recordings(files)
    names = [name for name, _ in audio]
    written = transcripts(out, names, chosen_formats, opened.labels, choices)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; give a folder")
    if cutouts is not None and cutouts.exists() and not cutouts.is_dir():
        raise UsageError(f"--cutouts {cutouts} is a file; give a folder")
    cut = None if cutouts is None else CutOuts(cutouts, names, pad_s, "--cutouts")
    # Make the folders now, so that an unwritable place is reported before hours of scoring.
    with writable_folders([out] if cutouts is None else [out, cutouts]), project_lock(out):
        mine = tables_of_events(out, names, chosen_formats)
        of_events = [name for name in chosen_formats if name not in (*TRANSCRIPT_FORMATS, HITS)]
        tables = PredictionTables(out, names, of_events, opened.manifest.front.fmax_hz, mine.writing)
        made_with = predicted_with(opened.manifest, opened.engine, opened.channel)
        finished = Finished(out, made_with, EVENTS, discard=force)
        earlier = {name: finished.find(name, path, file_state(path)) for name, path in audio}
        if not force:
            mine.refuse_changed(kept={name for name, prediction in earlier.items() if prediction is not None})
        if cut is not None:
            cut.refuse({name: prediction.rows for name, prediction in earlier.items() if prediction is not None})
        done: list[RecordingPrediction] = []
        answers: dict[str, HitAnswer] = {}
        for number, (name, path) in enumerate(audio, start=1):
            state, recording_prediction = file_state(path), earlier[name]
            prediction = recording_prediction or opened.predict_file(path, name)
            if cut is not None:
                cut.refuse({name: prediction.rows})
            if prediction.status == "left_out":
                mine.remove(name)
            tables.write(prediction, keep=recording_prediction is not None)
            # Cheap, and notes and velocities may differ from those of an earlier call.
            written.write(prediction, mine.writing)
            if recording_prediction is None:
                finished.mark(prediction, state)
            if HITS in chosen_formats and prediction.status != "left_out":
                answers[name] = answer_of(name, path, opened.predictor)
            if cut is not None and prediction.events:
                cut.write(name, path, prediction.rows)
            done.append(prediction)
            warn_of_recording(opened, name, path, prediction.channels_cancel_db)
            _say(f"[{number}/{len(audio)}] {name}: {in_words(prediction, reused=recording_prediction is not None)}")
        tables.write_all(done)
        if HITS in chosen_formats:
            with mine.writing(out / HITS_FILE) as part:
                write_answers(part, list(answers.values()))
        if cut is not None:
            cut.write_index()
        with mine.writing(out / SUMMARY) as part:
            summary = write_summary(part, done, opened)
        if stale := mine.of_earlier_calls({name for name, prediction in earlier.items() if prediction is not None}):
            _say(stale)
    if as_json:
        print(json_text(summary))
    else:
        rows = [[prediction.name, prediction.status, str(len(prediction.events))] for prediction in done]
        for row in rows if HITS in chosen_formats else ():
            row.append(answers[row[0]].in_words() if row[0] in answers else "-")
        print_rows(("recording", "status", "events", *(["answer"] if HITS in chosen_formats else [])), rows)
        print(printable(f"wrote {', '.join(chosen_formats)} to {out}"))
    lost = [prediction for prediction in done if prediction.status in ("left_out", "partial")]
    if lost:
        _say(
            f"{len(lost)} of {len(done)} recordings were skipped or end early; they are listed above and in {SUMMARY}. "
            "Repair them or copy them again, then run the same command again"
        )
    for line in unread:
        _say(line)
    if lost or unread:
        raise typer.Exit(EXIT_INCOMPLETE)


def _known_formats(formats: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the formats that are listed, each once; raises UsageError if there are none or others."""
    chosen_formats = tuple(dict.fromkeys(name.strip() for name in formats.split(",") if name.strip()))
    if not chosen_formats or not set(chosen_formats) <= set(known):
        raise UsageError(f"--format {formats} is not one of: {', '.join(dict.fromkeys(known))}")
    return chosen_formats


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr)


def stream(
    bundle: BundleFolder,
    file: Annotated[Path, typer.Argument(help="Recording to read as a stream.")],
    chunk_s: Annotated[
        float, typer.Option(min=0.001, help="Sound to process at a time, in seconds; it does not change the events.")
    ] = 1.0,
    runtime: Runtime = "onnx",
    precision: Precision = "fp32",
    folds: Folds = False,
    threads: Threads = 1,
    device: Device = "auto",
    channel: Channel = "",
    only_changes: Annotated[
        bool,
        typer.Option("--only-changes", help="Of states: leave out changes that do not change the overall status."),
    ] = False,
) -> None:
    """Print the events of a file as JSON lines, each as soon as it is decided, as for live sound from a microphone.

    A bundle that knows states (on, off, unknown) prints their changes instead, and at the end, on stderr, how often and
    how long each label was on. Exit code 3: the file is truncated.
    """
    refuse_project_folder(bundle, "stream")
    opened = load_bundle(
        bundle,
        runtime,
        threads=threads,
        precision=precision,
        folds=folds,
        device=device,
        channel=asked_channel(channel),
    )
    warn_if_refused(opened)
    if not file.is_file():
        raise UsageError(f"{file}: {what_is_at(file)}; give one recording")
    if opened.gives_states:
        report = print_changes(opened, file, chunk_s, only_changes=only_changes)
    elif only_changes:
        raise UsageError("--only-changes is for bundles of states, and this one finds events: leave it out")
    else:
        report = _print_events(opened.stream_file(file, chunk_s))
    warn_of_recording(opened, str(file), file, report.cancel_db)
    if report.status == "partial":
        print(printable(f"{file}: partial: {report.reason}"), file=sys.stderr)
        raise typer.Exit(EXIT_INCOMPLETE)


def asked_channel(channel: str) -> str | None:
    """Return the channel that the user chose; None for the one of the bundle."""
    try:
        return channel_name(channel) if channel else None
    except ValueError as error:
        raise UsageError(f"--{error}") from None


def warn_if_refused(bundle: LoadedBundle) -> None:
    """Print on stderr that the noise gate refused a bundle; a refused bundle can still be run for inspection."""
    if bundle.noise_gate == "refused":
        print(printable(f"{bundle.folder}: the noise gate refused this bundle; see its CARD.md"), file=sys.stderr)


def _print_events(events: Generator[EmittedEvent, None, DecodeReport]) -> DecodeReport:
    """Print events as they are decided, and return how decoding ended."""
    while True:
        try:
            emitted_event = next(events)
        except StopIteration as end:
            report: DecodeReport = end.value
            return report
        print(json_text(event_line(emitted_event.event, emitted_event.emitted_s), indent=None), flush=True)
