"""F0 tracking: accuracy on made voices, agreement with pYIN and swift_f0 on real speech, and processor time of each.

Made voices have a known contour with unvoiced pauses, and noise at several levels. A frame is found if it is voiced and
within 50 cents. On real speech nobody knows F0: the three trackers are compared with each other, and at the frames
where the two others agree on voicing. Processor time is that of tracking alone, in turns, on one thread; ratios above 1
mean that Ossicle is faster, with the smallest and the largest of the turns.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import soundfile
from machine import RESULTS, described, table, write_result
from smoke import parsed, recordings, require
from threadpoolctl import threadpool_limits

from ossicle.audio.pitch.settings import OWN_TRACKER, SWIFT_F0, PitchSettings
from ossicle.audio.pitch.trackers import pitch_tracker

Samples = np.ndarray
Tracker = Callable[[Samples, int], np.ndarray]
OURS, PYIN, SWIFT = "Ossicle", "pYIN (librosa)", "swift_f0"
CLOSE_CENTS, OCTAVE_CENTS = 50, 600
NOISES_DB = (None, 20, 10, 5)
RATE = 16000


def trackers(smoke: bool) -> dict[str, Tracker]:
    """The trackers by name: F0 every 10 ms, 0 where it is unvoiced. A smoke run has ours alone."""
    own = pitch_tracker(PitchSettings(tracker=OWN_TRACKER))
    by_name: dict[str, Tracker] = {OURS: lambda samples, rate: own(samples, rate).f0_hz}
    if smoke:
        print("smoke run: pYIN and swift_f0 are left out")
        return by_name
    import librosa

    def pyin(samples: Samples, rate: int) -> np.ndarray:
        length = 2 * round(0.032 * rate)
        hz, voiced, _ = librosa.pyin(samples, fmin=50, fmax=500, sr=rate, hop_length=rate // 100, frame_length=length)
        return np.where(voiced, hz, 0.0)

    pyin(made_voice(np.full(RATE // 4, 120.0), None, 0), RATE)  # compiles
    by_name[PYIN] = pyin
    if importlib.util.find_spec("swift_f0") is None:
        print("swift_f0 is not installed: left out")
        return by_name
    swift = pitch_tracker(PitchSettings(tracker=SWIFT_F0))
    return {**by_name, SWIFT: lambda samples, rate: swift(samples, rate).f0_hz}


def made_voice(f0_hz: np.ndarray, noise_db: float | None, seed: int) -> Samples:
    """Harmonics of a contour, falling by 6 dB an octave, in white noise so many dB below the voice."""
    generator = np.random.default_rng(seed)
    angle = 2 * np.pi * np.cumsum(f0_hz) / RATE
    voice = np.zeros(len(f0_hz))
    for k in range(1, 40):
        shown = (f0_hz > 0) & (k * f0_hz < 0.45 * RATE)
        voice += np.where(shown, np.sin(k * angle + generator.uniform(0, 6)) / k, 0.0)
    noise = generator.standard_normal(len(voice))
    level = 1e-4 if noise_db is None else np.std(voice[f0_hz > 0]) * 10 ** (-noise_db / 20)
    return (0.1 * (voice + level * noise)).astype(np.float32)


def made_contour(seconds: float, seed: int) -> np.ndarray:
    """A contour of a speaker, (n,): a wandering F0 around a random mean, with pauses of 0.15 s."""
    generator = np.random.default_rng(seed)
    n = round(seconds * RATE)
    places = np.linspace(0, n - 1, max(4, int(4 * seconds)))
    around = generator.uniform(85, 240)
    hz = around * np.exp2(np.interp(np.arange(n), places, generator.normal(0, 0.2, len(places))))
    for start in generator.integers(0, n, max(1, int(seconds))):
        hz[start : start + round(0.15 * RATE)] = 0.0
    return np.asarray(hz)


def cents(first: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Differences in cents of frames that are voiced in both."""
    both = (first > 0) & (other > 0)
    return np.abs(1200 * np.log2(first[both] / other[both]))


def on_made_voices(by_name: dict[str, Tracker], voices: int, seconds: float) -> list[list[str]]:
    """Rows: noise, tracker, median error, shares of found frames, octave errors and wrong voicing."""
    rows = []
    for noise_db in NOISES_DB:
        contours = [made_contour(seconds, seed) for seed in range(voices)]
        sounds = [made_voice(contour, noise_db, seed) for seed, contour in enumerate(contours)]
        for name, track in by_name.items():
            truth, heard = [], []
            for contour, sound in zip(contours, sounds, strict=True):
                hz = track(sound, RATE)
                places = np.minimum(np.round(np.arange(len(hz)) * RATE / 100).astype(int), len(contour) - 1)
                truth.append(contour[places])
                heard.append(hz)
            true, tracked = np.concatenate(truth), np.concatenate(heard)
            away = cents(true, tracked)
            close = (away < CLOSE_CENTS).sum() / (true > 0).sum()
            if name == OURS and noise_db is None:
                require(np.median(away) < 10 and close > 0.9, "F0 of made voices without noise is found")
            rows.append(
                [
                    "none" if noise_db is None else f"{noise_db} dB below",
                    name,
                    f"{np.median(away):.1f}",
                    f"{100 * close:.1f} %",
                    f"{100 * np.mean(away > OCTAVE_CENTS):.2f} %",
                    f"{100 * np.mean((true > 0) != (tracked > 0)):.1f} %",
                ]
            )
            print(" | ".join(rows[-1]), flush=True)
    return rows


def on_speech(
    by_name: dict[str, Tracker], sounds: Sequence[tuple[Samples, int]], turns: int
) -> tuple[list[list[str]], list[list[str]]]:
    """Rows of agreement of each two trackers, and of the time of each."""
    contours: dict[str, list[np.ndarray]] = {}
    times = np.zeros((turns, len(by_name)))
    for turn in range(turns):
        for column in np.roll(np.arange(len(by_name)), turn).tolist():
            name = list(by_name)[column]
            began = time.process_time()
            contours[name] = [by_name[name](samples, rate) for samples, rate in sounds]
            times[turn, column] = time.process_time() - began
    lengths = [min(len(contours[name][i]) for name in by_name) for i in range(len(sounds))]
    joined = {
        name: np.concatenate([contour[:n] for contour, n in zip(all_of, lengths, strict=True)])
        for name, all_of in contours.items()
    }
    pairs = []
    for first, other in combinations(by_name, 2):
        away = cents(joined[first], joined[other])
        same = np.mean((joined[first] > 0) == (joined[other] > 0))
        pairs.append(
            [
                f"{first} and {other}",
                f"{np.median(away):.1f}",
                f"{100 * np.mean(away < CLOSE_CENTS):.1f} %",
                f"{100 * np.mean(away > OCTAVE_CENTS):.2f} %",
                f"{100 * same:.1f} %",
            ]
        )
    seconds = sum(len(samples) / rate for samples, rate in sounds)
    ratios = times / times[:, :1]
    speeds = [
        [
            name,
            f"{1000 * np.median(times[:, column]) / seconds:.2f}",
            f"{100 * np.mean(joined[name] > 0):.1f} %",
            f"{np.median(ratios[:, column]):.1f} ({ratios[:, column].min():.1f} to {ratios[:, column].max():.1f})",
        ]
        for column, name in enumerate(by_name)
    ]
    if len(by_name) == 3:
        ours, *others = (joined[name] > 0 for name in by_name)
        agreed = others[0] == others[1]
        share = 100 * np.mean(ours[agreed] == others[0][agreed])
        pairs.append([f"{OURS}, where the two others agree on voicing", "", "", "", f"{share:.1f} %"])
    return pairs, speeds


def speech(args: argparse.Namespace) -> list[tuple[Samples, int]]:
    """Some recordings of both corpora, spread over their speakers."""
    sounds: list[tuple[Samples, int]] = []
    for name, suffix in (("spoken_digits", "*.wav"), ("mboshi", "*.flac")):
        folder = recordings(name, args)
        paths = [] if folder is None else sorted(folder.rglob(suffix))
        for path in paths[:: max(1, len(paths) // args.files)][: args.files]:
            samples, rate = soundfile.read(path, dtype="float32", frames=20 * 48000)
            sounds.append((samples, rate))
    return sounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voices", type=int, default=12, help="made voices for each level of noise")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a made voice")
    parser.add_argument("--files", type=int, default=40, help="recordings of each corpus")
    parser.add_argument("--turns", type=int, default=3, help="turns of the timing")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the table")
    args = parsed(parser, voices=2, seconds=1.0, files=2, turns=1)
    with threadpool_limits(1):
        by_name = trackers(args.smoke)
        voice_rows = on_made_voices(by_name, args.voices, args.seconds)
        sounds = speech(args)
        agreement, speeds = on_speech(by_name, sounds, args.turns) if sounds else ([], [])
    seconds = sum(len(samples) / rate for samples, rate in sounds)
    sections = [
        "# F0 tracking",
        described(["numpy", "librosa", "swift-f0"]),
        f"Made voices ({args.voices} of {args.seconds:g} s for each level of white noise):",
        table(
            ["noise", "tracker", "median error, cents", "found within 50", "off by 600", "wrong voicing"], voice_rows
        ),
        f"Real speech ({len(sounds)} recordings of spoken_digits and mboshi, {seconds:.0f} s):",
        table(["trackers", "median difference, cents", "within 50", "off by 600", "same voicing"], agreement),
        table(["tracker", "CPU ms for 1 s of sound", "voiced", "time relative to Ossicle"], speeds),
        "Run: `python benchmarks/bench_pitch.py`.",
    ]
    write_result("pitch", "\n\n".join(sections) + "\n", args.out)


if __name__ == "__main__":
    main()
