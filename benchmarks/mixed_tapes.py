"""Tapes mixed from calls and backgrounds of other collections: three small corpora for the noise gate.

Each set has its own calls (spoken digits, barking dogs, synthetic whistles and trills) and its own backgrounds (sounds
of weather and machines, or synthetic sites). Calls lie at known times at 20, 12, 6 or 0 dB over the background, as in
`shared/data/tapes`. Sets of real sounds need the collections of :func:`machine.data_folder`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ossicle.audio.wav import write_wav
from ossicle.core.digest import seed_of
from ossicle.corpus.formats.cells.rows import RawSelection
from ossicle.corpus.formats.raven import raven_name, write_raven
from ossicle.corpus.synthetic.tapes import SynthSettings, make_tapes

Wave = np.ndarray
RATE, SITES = 16000, 4
SNR_DB = {1: 20.0, 2: 12.0, 3: 6.0, 4: 0.0}
LEVELS_DB = (-45.0, -25.0)
"""Levels of the backgrounds, in dB full scale."""


def read(path: Path) -> Wave:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, RATE)


def loudest_part(wave: Wave, seconds: float) -> Wave:
    """The part with most energy, with short fades: one call of a clip."""
    n = min(len(wave), int(seconds * RATE))
    energy = np.cumsum(np.square(wave, dtype=np.float64))
    first = int(np.argmax(energy[n - 1 :] - np.concatenate([[0.0], energy[: len(wave) - n]])))
    fade = min(n // 4, RATE // 50)
    part = wave[first : first + n].copy()
    part[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    part[n - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return part


def digits(data: Path) -> list[Wave]:
    return [read(path) for path in sorted((data / "spoken_digits").glob("7_*.wav"))[:80]]


def dogs(data: Path) -> list[Wave]:
    return [loudest_part(read(path), 0.35) for path in sorted((data / "esc10" / "dog_bark").glob("*.ogg"))]


def backgrounds(data: Path, kinds: Sequence[str]) -> list[Wave]:
    return [read(path) for kind in kinds for path in sorted((data / "esc10" / kind).glob("*.ogg"))]


def lasting(clips: Sequence[Wave], n: int, rng: np.random.Generator) -> Wave:
    """Clips of one level in a random order, cross-faded into a background of ``n`` samples."""
    fade = RATE // 2
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    out = np.zeros(n + 10 * RATE, dtype=np.float32)
    position = 0
    while position < n:
        clip = clips[int(rng.integers(len(clips)))]
        clip = clip / max(float(np.sqrt(np.mean(clip**2))), 1e-6)
        clip[:fade] *= ramp
        clip[-fade:] *= ramp[::-1]
        out[position : position + len(clip)] += clip
        position += len(clip) - fade
    return out[:n] * np.float32(10 ** (rng.uniform(*LEVELS_DB) / 20))


def mix_tape(
    calls: Sequence[Wave], back: Wave, n_calls: int, rng: np.random.Generator
) -> tuple[Wave, list[RawSelection]]:
    """One tape and its annotations; calls do not overlap."""
    tape, rows = back.copy(), []
    busy: list[tuple[int, int]] = []
    for _ in range(n_calls):
        call = calls[int(rng.integers(len(calls)))]
        first = int(rng.integers(RATE // 2, len(back) - len(call) - RATE // 2))
        last = first + len(call)
        if any(first < end + RATE // 8 and start < last + RATE // 8 for start, end in busy):
            continue
        busy.append((first, last))
        quality = int(rng.integers(1, 5))
        around = back[max(0, first - RATE // 2) : last + RATE // 2]
        gain = np.sqrt(np.mean(around**2) / max(float(np.mean(call**2)), 1e-12)) * 10 ** (SNR_DB[quality] / 20)
        tape[first:last] += np.float32(gain) * call
        rows.append(RawSelection(first / RATE, last / RATE, "call", 50.0, 7900.0, quality))
    peak = float(np.abs(tape).max())
    return tape * np.float32(min(1.0, 0.9 / peak)), sorted(rows, key=lambda row: row.start_s)


def mix_tapes(
    folder: Path,
    calls: Sequence[Wave],
    sites: Sequence[Sequence[Wave]],
    seed: int,
    seconds: int = 60,
    n_calls: int = 24,
) -> None:
    """Eight tapes, two at each site, each site with backgrounds of its own; the last tape has no call."""
    for name in ("audio", "selections"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    # Calls are divided too, so that no take is heard at two sites.
    for tape in range(2 * SITES):
        site = tape % SITES
        rng = np.random.default_rng(seed_of(seed, "tape", tape))
        back = lasting(sites[site], seconds * RATE, rng)
        samples, rows = mix_tape(calls[site::SITES], back, 0 if tape == 2 * SITES - 1 else n_calls, rng)
        name = f"site{'ABCD'[site]}_2025061{tape}_050000_tape.wav"
        write_wav(folder / "audio" / name, samples, RATE, "PCM_16")
        write_raven(folder / "selections" / raven_name(name), rows)


def mixed(calls: Callable[[Path], list[Wave]], kinds: Sequence[str], seed: int) -> Callable[[Path, Path], None]:
    """A maker of tapes from real calls over real backgrounds."""

    def make(folder: Path, data: Path) -> None:
        back = backgrounds(data, kinds)
        mix_tapes(folder, calls(data), [back[site::SITES] for site in range(SITES)], seed)

    return make


def synthetic(folder: Path, data: Path) -> None:
    """Whistles and trills at four synthetic sites."""
    make_tapes(folder, SynthSettings(tapes=8, minutes=1.0, classes=("whistle", "trill"), seed=77))


SETS: Mapping[str, Callable[[Path, Path], None]] = {
    "digits": mixed(digits, ("sea_waves", "rain", "helicopter"), 1),
    "dogs": mixed(dogs, ("fire_crackling", "clock_tick", "sea_waves", "chainsaw"), 2),
    "whistles": synthetic,
}
"""Name of each set, and what writes it: (folder to fill, folder of the real recordings)."""


def short_tapes(folder: Path, data: Path) -> None:
    """Tapes of seconds from tones over noise, for smoke runs."""
    rng = np.random.default_rng(0)
    tones = [
        np.sin(2 * np.pi * hz * np.arange(RATE // 5) / RATE).astype(np.float32) for hz in (500.0, 900.0, 1300.0, 1700.0)
    ]
    noise = [[rng.standard_normal(5 * RATE).astype(np.float32)] for _ in range(SITES)]
    mix_tapes(folder, tones, noise, 0, seconds=8, n_calls=6)
