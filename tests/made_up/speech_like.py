"""Recordings that sound like speech to a machine: voiced syllables of a few vowels, pauses, a word table."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

UNITS_PROJECT = """
base = "recipe:units"
[corpus]
audio = "audio"
name_template = "{speaker}_*"
[split]
group = "speaker"
"""
"""The project file of a project of units on what :func:`write_speech` writes."""

RATE = 16000
VOWELS_HZ = {"a": (730, 1090), "i": (270, 2290), "u": (300, 870), "e": (530, 1840)}
WORDS = {"ai": "ai", "uea": "uea", "iu": "iu", "ae": "ae"}
"""Words, and the vowels that they are made of."""


def syllable(vowel: str, pitch_hz: float, seconds: float, scale: float) -> NDArray[np.float64]:
    """Return a vowel: harmonics of a pitch, louder near two formants, which a speaker's size scales."""
    times = np.arange(round(seconds * RATE)) / RATE
    out = np.zeros(len(times))
    for k in range(1, int(4000 / pitch_hz)):
        gain = sum(np.exp(-(((k * pitch_hz - hz * scale) / 120) ** 2)) for hz in VOWELS_HZ[vowel])
        out += (gain + 0.02) * np.sin(2 * np.pi * k * pitch_hz * times) / 4
    return out * np.hanning(len(times)) ** 0.3


def spoken(words: list[str], speaker: int, seed: int) -> tuple[NDArray[np.float32], list[tuple[float, float, str]]]:
    """Return words of one speaker with pauses of 0.1 s, after every fourth of 0.8 s, and their times in seconds."""
    draw = np.random.default_rng(seed)
    parts, rows, at = [], [], 0
    for number, word in enumerate(words):
        pause = round((0.8 if number % 4 == 3 else 0.1) * RATE)
        sounds = [
            syllable(vowel, 90 + 50 * speaker + draw.uniform(-4, 4), draw.uniform(0.12, 0.2), 1 + 0.12 * speaker)
            for vowel in WORDS[word]
        ]
        length = sum(map(len, sounds))
        rows.append((at / RATE, (at + length) / RATE, word))
        parts += [*sounds, np.zeros(pause)]
        at += length + pause
    samples = np.concatenate(parts)
    return (0.3 * samples + draw.normal(0, 2e-4, len(samples))).astype(np.float32), rows


def write_speech(folder: Path, speakers: int = 2, files: int = 2, words: int = 12) -> Path:
    """Write recordings ``speakerK_N.wav`` into ``folder/audio`` and ``folder/words.tsv``; return the folder."""
    audio = folder / "audio"
    audio.mkdir(parents=True, exist_ok=True)
    lines = ["utterance\tstart_s\tend_s\tword"]
    for speaker in range(speakers):
        for file in range(files):
            draw = np.random.default_rng(100 * speaker + file)
            chosen = [str(word) for word in draw.choice(list(WORDS), words)]
            samples, rows = spoken(chosen, speaker, 1000 * speaker + file)
            name = f"speaker{speaker}_{file}"
            soundfile.write(audio / f"{name}.wav", samples, RATE)
            lines += [f"{name}\t{start_s:.4f}\t{end_s:.4f}\t{word}" for start_s, end_s, word in rows]
    (folder / "words.tsv").write_text("\n".join(lines) + "\n")
    return folder
