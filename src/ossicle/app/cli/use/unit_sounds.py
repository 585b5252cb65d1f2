"""``ossicle units vocoder|resynth``: units of files to sound, and recordings to units and back."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ossicle.app.cli.options import EncoderWeights, Json, ProgressKind, QuantiserChannel, Recordings, Threads
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.table import print_rows
from ossicle.core.errors import EXIT_INCOMPLETE, GateRefused, UsageError
from ossicle.core.model_input.channel import channel_name
from ossicle.core.text.counting import counted

VocoderPlace = Annotated[
    Path, typer.Argument(metavar="VOCODER", help="Folder `vocoder` of a finished project.", show_default=False)
]
Voice = Annotated[
    str,
    typer.Option(
        "--speaker", help="Voice, by a name of the training. Default: the mean of all voices.", show_default=False
    ),
]
VocoderDevice = Annotated[str, typer.Option("--device", help="Where to compute: auto, cpu, cuda, cuda:N or mps.")]


def vocoder(
    vocoder: VocoderPlace,
    units: Annotated[
        list[Path],
        typer.Argument(
            metavar="UNITS...",
            help="Files of `ossicle units encode -o` (NAME.units.json) and `ossicle units export` (units.jsonl, "
            "units.txt, runs.txt).",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the WAV files; created if missing.")],
    speaker: Voice = "",
    semitones: Annotated[
        float, typer.Option("--semitones", help="Move the melody by so many semitones, from -24 to 24.")
    ] = 0.0,
    runs: Annotated[
        bool,
        typer.Option(
            "--runs",
            help="The numbers of text files are units without repeats: each lasts as long as the vocoder learned.",
        ),
    ] = False,
    device: VocoderDevice = "cpu",
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Turn units into sound: a WAV file for each segment, exactly units x hop long.

    All files are checked before the first is spoken. Units of another quantiser are refused, as the same number means
    another sound there. The melody is that which the vocoder learned for the units. Segments without units get no file.
    Exit code 3: a file has no units.
    """
    from ossicle.app.api.units.speaking import open_speaker
    from ossicle.app.api.units.unit_files import output_names, read_units, sound_places
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.artefacts.logs.noted_files import NotedFiles
    from ossicle.audio.wav import write_wav

    refuse_file(out)
    opened = open_speaker(vocoder, speaker, semitones, device)
    names, rate = output_names(units), opened.vocoder.spec.rate
    counts: dict[Path, int] = {}
    repeats: dict[Path, bool] = {}
    for path in names:
        lines = [
            (line.runs, len(line.values), _repeats(line.values))
            for line in read_units(path, opened.file_spec, runs=runs)
        ]
        counts[path] = len(lines)
        repeats[path] = any(is_runs or n < 2 or is_repeated for is_runs, n, is_repeated in lines) or not lines
    places = sound_places(names, counts)
    for path, sounds in places.items():
        beside = path.resolve().parent
        if taken := [
            out / sound for sound in sounds if (out / sound).exists() and (out / sound).resolve().parent == beside
        ]:
            raise UsageError(
                f"{taken[0]} lies beside {path}, and may be the recording that it was encoded from; give another "
                "folder with --out"
            )
    noted = NotedFiles(out)
    noted.refuse(sound for sounds in places.values() for sound in map(str, sounds))
    rows, written, spoken = [], [], set[Path]()
    with make_progress(progress) as shown:
        shown.begin("units vocoder")
        for path in names:
            for number, line in enumerate(read_units(path, opened.file_spec, runs=runs)):
                if not len(line.values):
                    continue
                samples = opened.speak(line)
                sound_path = out / places[path][number]
                spoken.add(path)
                with noted.writing(sound_path) as part:
                    write_wav(part, samples, rate)
                written.append({"file": str(sound_path), "units": len(line.values), "seconds": len(samples) / rate})
                rows.append((str(sound_path), str(len(line.values)), f"{len(samples) / rate:.2f}"))
                shown.advance(len(rows), sum(counts.values()), "segments")
    if as_json:
        print(json_text({"rate": rate, "speaker": speaker or None, "semitones": semitones, "written": written}))
    else:
        print_rows(("file", "units", "seconds"), rows)
        for path in names:
            if not repeats[path]:
                print(printable(f"{path}: no unit is repeated; if these are units without repeats, add --runs"))
        print(printable(f"{counted(len(rows), 'file')} in {out}"))
    silent = [path for path in names if path not in spoken]
    for path in silent:
        print(printable(f"{path}: it has no units"), file=sys.stderr)
    if silent:
        raise typer.Exit(EXIT_INCOMPLETE)


def resynth(
    vocoder: VocoderPlace,
    recordings: Recordings,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for pairs of WAV files, figures and a page; created if missing.")
    ],
    num_samples: Annotated[
        int, typer.Option("--num-samples", min=1, help="Most segments to judge; of more, this many are drawn.")
    ] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draw.")] = 0,
    speaker: Voice = "",
    cut: Annotated[
        bool, typer.Option("--cut", help="Cut recordings at silences first. Default: each file is one segment.")
    ] = False,
    one_group: Annotated[
        bool,
        typer.Option("--one-group", help="All recordings are of one speaker or other group, as in `units encode`."),
    ] = False,
    most_mcd: Annotated[
        float, typer.Option("--most-mcd", min=0, help="Bar: highest mel-cepstral distortion in dB.")
    ] = 8.0,
    least_length: Annotated[float, typer.Option("--least-length", help="Bar: lowest length ratio, at most 1.")] = 0.95,
    most_length: Annotated[float, typer.Option("--most-length", help="Bar: highest length ratio, at least 1.")] = 1.05,
    weights: EncoderWeights = None,
    channel: QuantiserChannel = None,
    device: VocoderDevice = "cpu",
    threads: Threads = 1,
    progress: ProgressKind = "auto",
    as_json: Json = False,
) -> None:
    """Encode recordings, speak their units, and compare: pairs of WAV files, figures, and a page to listen to.

    Only recordings that the vocoder was not trained on say something about others. At most 30 s of each segment are
    judged. Exit code 4: a bar is missed; each is named. Exit code 3: a recording could not be used in full.
    """
    from ossicle.app.api.units.resynthesis import Listening, Resynthesiser
    from ossicle.app.api.units.speaking import open_speaker
    from ossicle.app.cli.tables.vocoder_table import vocoder_rows
    from ossicle.app.cli.use.asked_recordings import asked_recordings
    from ossicle.app.steps.engine.progress import make_progress
    from ossicle.evaluation.units.resynthesis.missed import missed_in_words
    from ossicle.evaluation.units.resynthesis.settings import ResynthesisSettings

    refuse_file(out)
    try:
        heard = Listening(cut, one_group, None if channel is None else channel_name(channel))
    except ValueError as problem:
        raise UsageError(f"--channel {channel}: {problem}") from None
    try:
        bars = ResynthesisSettings(
            num_samples=num_samples, seed=seed, most_mcd_db=most_mcd, least_length=least_length, most_length=most_length
        )
    except ValueError as problem:
        raise UsageError(f"--most-mcd, --least-length, --most-length: {problem}") from None
    opened = open_speaker(vocoder, speaker, 0.0, device)
    named, unread = asked_recordings(recordings)
    maker = Resynthesiser(vocoder, opened, weights, threads)
    with make_progress(progress) as shown:
        shown.begin("units resynth")
        resynthesis = maker.resynthesise(named, out, bars, heard, shown)
    if as_json:
        print(json_text(resynthesis.figures))
    else:
        print_rows(*vocoder_rows(resynthesis.figures))
        print(printable(f"{counted(len(resynthesis.pairs), 'pair')} in {out}"))
    lost = [*unread, *resynthesis.lost]
    for line in (*resynthesis.warnings, *lost):
        print(printable(line), file=sys.stderr)
    if missed := missed_in_words(resynthesis.figures["verdict"]):
        raise GateRefused("\n".join(missed))
    if lost:
        raise typer.Exit(EXIT_INCOMPLETE)


def refuse_file(folder: Path) -> None:
    """Raise UsageError for an output folder that is a file."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder} is a file; give a folder")


def _repeats(values: "object") -> bool:
    import numpy as np

    unit_array = np.asarray(values)
    return bool((unit_array[1:] == unit_array[:-1]).any())
