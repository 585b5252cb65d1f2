"""A vocoder for spoken digits: two speakers train, one chooses the epoch, one is judged, all in one run.

Beside the vocoder, the same segments are judged as spoken by (a) the mean spectrum of each unit with Griffin-Lim and
(b) the vocoder before its training. Bars: log-mel distance below both with 95 % intervals apart, distortion below (a),
exact length, durations within 5 %, 3 semitones within 0.5, another voice changes the sound; at most 20 CPU minutes.
Then a short training is killed at some moments and ends with the content of a straight one.

    .venv/bin/python benchmarks/bench_vocoder_digits.py [--kills 5] [--sets vocoder.epochs=6]
"""

import argparse
import random
import resource
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import soundfile
from commands import OSSICLE, options, ossicle
from machine import RESULTS, described, table, write_result
from smoke import parsed, recordings, require

from ossicle.artefacts.files import read_json
from ossicle.artefacts.typed.results.published import METRICS, RESYNTHESIS
from ossicle.artefacts.typed.units.resynthesis import PairFiles
from ossicle.artefacts.typed.units.unit_vocoder import UnitVocoderFolder
from ossicle.report.vocoder_figure_names import DIGITS, FIGURES

PROJECT = """
base = "recipe:units"

[corpus]
audio = {audio}
name_template = "{{digit}}_{{speaker}}_{{take}}"

[split]
group = "speaker"

[segments]
by = "files"

[quality]
hold_out = "none"

[resynthesis]
num_samples = {samples}

[vocoder]
preset = "small"
"""
MOST_CPU_MINUTES = 20
UNITS_A_SECOND = 50
# Seconds of training, of which kills take some away.
SHORT = (
    "vocoder.epochs=4",
    "vocoder.warmup_epochs=2",
    "vocoder.draws=64",
    "vocoder.choosing_segments=4",
    "vocoder.save_every=2",
)
TINY = (
    *SHORT,
    "quantiser.k=20",
    "motifs.vocabulary=30",
    "vocoder.draws=8",
    "vocoder.batch=4",
    "vocoder.network.width=16",
)

Figures = Mapping[str, Any]


def cpu_minutes() -> float:
    """Processor minutes of this process and of those that it has waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used) / 60


def make_project(folder: Path, audio: Path, samples: int) -> Path:
    """Write the project file, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = PROJECT.format(audio=f'"{audio.resolve().as_posix()}"', samples=samples)
    (folder / "ossicle.toml").write_text(text)
    return folder


def exact_lengths(project: Path) -> tuple[str, bool]:
    """How many resyntheses have exactly the samples of their units, and whether all have."""
    files = PairFiles(project / RESYNTHESIS)
    infos = [soundfile.info(path) for path in sorted(files.path.rglob("*.resynthesis.wav"))]
    expected = sorted(pair["units"] for pair in read_json(files.figures_file)["pairs"])
    frames = sorted(UNITS_A_SECOND * info.frames / info.samplerate for info in infos)
    equal = sum(n_frames == units for n_frames, units in zip(frames, expected, strict=True))
    return f"{equal} of {len(expected)}", bool(expected) and equal == len(expected)


def bars(figures: Figures, minutes: float, exact: tuple[str, bool]) -> dict[str, tuple[str, bool]]:
    """Each bar with its figure and whether it is met."""

    def below(key: str, other: str) -> bool:
        own, others = figures[key], figures[other][key]
        if None in (own["high"], others["low"]):
            return False
        return bool(own["high"] < others["low"])

    def value(key: str) -> float:
        number = figures[key]["value"]
        return float("nan") if number is None else float(number)

    def near(key: str, target: float, most: float) -> tuple[str, bool]:
        return f"{value(key):.3f}", abs(value(key) - target) <= most

    log_mel = _cell(figures, "log_mel_db")
    mcd, baseline = value("mcd_db"), figures["baseline"]["mcd_db"]["value"]
    return {
        "log-mel below the mean spectrum of units, intervals apart": (log_mel, below("log_mel_db", "baseline")),
        "log-mel below the start, intervals apart": (log_mel, below("log_mel_db", "start")),
        "distortion below the mean spectrum of units": (f"{mcd:.2f}", baseline is not None and mcd < baseline),
        "units x hop samples": exact,
        "durations within 5 %": near("duration_ratio", 1.0, 0.05),
        "3 semitones within 0.5": near("pitch_shift_semitones", 3.0, 0.5),
        "another voice changes the sound": (_cell(figures, "voice_change_db"), value("voice_change_db") > 1.0),
        f"at most {MOST_CPU_MINUTES} CPU minutes": (f"{minutes:.1f}", minutes <= MOST_CPU_MINUTES),
    }  # fmt: skip


def _cell(figures: Figures, key: str) -> str:
    figure = figures.get(key)
    if figure is None or figure["value"] is None:
        return "–"
    digits = DIGITS[key]
    interval = "" if figure["low"] is None else f" ({figure['low']:.{digits}f} to {figure['high']:.{digits}f})"
    return f"{figure['value']:.{digits}f}{interval}"


def content(project: Path) -> str:
    """The content digest of the vocoder in a project with one."""
    (done,) = (project / "data" / UnitVocoderFolder.step).glob("[!.]*")
    return UnitVocoderFolder(done).content


def killed(work: Path, audio: Path, kills: int) -> int:
    """Kill a short training at drawn moments and let it end; return how often it was killed before its end."""
    chosen = [*options(SHORT), "--until", UnitVocoderFolder.step, "--progress", "none"]
    straight, disturbed = (make_project(work / name, audio, 1) for name in ("straight", "killed"))
    before = ["run", "-p", disturbed, *options(SHORT), "--until", "pitch", "--progress", "none"]
    ossicle("run", "-p", straight, *chosen)
    ossicle(*before)
    began = time.monotonic()
    ossicle("run", "-p", straight, *chosen, "--from", UnitVocoderFolder.step)
    length_s = time.monotonic() - began
    draws, n = random.Random(0), 0
    for _ in range(kills):
        run = subprocess.Popen([*OSSICLE, "run", "-p", str(disturbed), *chosen])
        try:
            run.wait(timeout=draws.uniform(0.3, 0.9) * length_s)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait(timeout=60)
            n += 1
    ossicle("run", "-p", disturbed, *chosen)
    require(content(straight) == content(disturbed), "a killed training ends with the content of a straight one")
    return n


def main() -> None:
    """Train, judge, kill, and leave the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=[], metavar="KEY=VALUE", help="other settings of the project")
    parser.add_argument("--samples", type=int, default=500, help="judged segments")
    parser.add_argument("--kills", type=int, default=5, help="how often a short training is killed; 0: never")
    parser.add_argument(
        "--work", type=Path, default=Path("/tmp/ossicle-vocoder-digits"), help="folder for the projects"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    args = parsed(
        parser, samples=3, kills=0,
        sets=list(TINY),
    )  # fmt: skip
    audio = recordings("spoken_digits", args)
    if audio is None:
        return
    project = make_project(args.work / "digits", audio, args.samples)
    ossicle("run", "-p", project, "--until", "pitch", *options(args.sets))
    before = cpu_minutes()
    ossicle("run", "-p", project, "--until", UnitVocoderFolder.step, *options(args.sets))
    minutes = cpu_minutes() - before
    ossicle("run", "-p", project, *options(args.sets))
    figures = read_json(project / METRICS)["vocoder"]
    judged = bars(figures, minutes, exact_lengths(project))
    rows = [
        [FIGURES[key], _cell(figures, key), _cell(figures["baseline"], key), _cell(figures["start"], key)]
        for key in FIGURES
        if key in figures
    ]
    met = [[name, value, "yes" if holds else "**no**"] for name, (value, holds) in judged.items()]
    n_killed = killed(args.work / "kills", audio, args.kills) if args.kills else 0
    kills = f"A short training was killed {n_killed} times and ended with the content of a straight one."
    lines = [
        "# A vocoder for spoken digits\n",
        f"{figures['in_words']}. {figures['segments']} segments of {figures['recordings']} recordings are judged; "
        f"epoch {figures['epoch']} is kept. Training took {minutes:.1f} CPU minutes.\n",
        table(["figure", "vocoder", "mean spectrum of units", "before training"], rows),
        "",
        table(["bar", "figure", "met"], met),
        "",
        kills if args.kills else "",
        "",
        described(["torch", "numpy"]),
    ]  # fmt: skip
    write_result("vocoder-digits", "\n".join(lines), args.out)


if __name__ == "__main__":
    main()
