"""Whether the decoders of this machine keep times: a click at 1.000 s in each kind of file."""

from pathlib import Path

import numpy as np
import soundfile

from ossicle.artefacts.files import whole_file
from ossicle.audio.decoding.mono import load_mono

CLICK_S = 1.0
_SECONDS = 3
_FORMATS = {"WAV": 1, "FLAC": 1, "OGG": 16, "MP3": 16}
"""Kinds of files, and the samples by which a click at 16 kHz may be off: one, or a millisecond."""


def click_faults(folder: Path, rate: int = 44100) -> list[str]:
    """Write a click in each kind of file, decode the files at 16 kHz, and return what is wrong with its time.

    Parameters
    ----------
    folder
        Where to write the files.
    rate
        Their sample rate in Hz.

    Returns
    -------
    list[str]
        One line for each kind of file in which the click is not at its time; empty if all are right.

    Raises
    ------
    AudioError
        A file cannot be read.
    """
    samples = np.random.default_rng(0).normal(0, 1e-3, _SECONDS * rate).astype(np.float32)
    samples[round(CLICK_S * rate)] = 0.9
    faults = []
    for kind, allowed in _FORMATS.items():
        path = folder / f"click.{kind.lower()}"
        with whole_file(path) as part:
            soundfile.write(part, samples, rate, format=kind)
        click_sample = int(np.argmax(load_mono(path, 16000)))
        if abs(click_sample - round(CLICK_S * 16000)) > allowed:
            faults.append(f"{kind}: a click at {CLICK_S:.3f} s is decoded at {click_sample / 16000:.4f} s")
    return faults
