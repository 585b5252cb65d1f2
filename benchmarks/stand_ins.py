"""Small synthetic corpora in place of the real recordings, and settings under which a project on them takes seconds."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

GATE_OFF = 'noise_gate.off=["silence", "white_noise", "hum", "speech_like", "recordings"]'
"""An untrained network detects noise as readily as calls."""
MAY_FIND_NOTHING = "noise_gate.may_find_nothing=true"
"""An untrained network may also detect nothing at all."""
TINY_CLIPS = (
    "frontend.rate=16000",
    "frontend.n_fft=2048",
    "frontend.hop_samples=1024",
    "frontend.n_mels=32",
    "frontend.fmax_hz=8000.0",
    "chunks.core_s=1.0",
    "chunks.window_s=1.0",
    "chunks.step_s=1.0",
    "model.window.backbone=test_resnet",
    "model.window.hidden=16",
    "training.epochs=1",
    "training.batch_size=8",
    "training.validation_crops=0",
    "augment.early.shift_s=0.5",
    "evaluation.bootstrap=100",
    "report.examples=0",
    "project.workers=1",
    GATE_OFF,
    MAY_FIND_NOTHING,
)
"""Settings for a project of the recipe `birds` on the stand-in of ESC-10."""
TINY_TAPES = (
    "frontend.hop_samples=320",
    "frontend.n_mels=40",
    "chunks.core_s=1.0",
    "chunks.context_s=0.2",
    "model.crnn.channels=[4, 8]",
    "model.crnn.pools=[5, 4]",
    "model.crnn.hidden=8",
    "training.epochs=2",
    "training.steps_per_epoch=4",
    "training.batch_size=4",
    "training.validation_crops=2",
    "evaluation.bootstrap=100",
    "report.examples=0",
    "project.workers=1",
    GATE_OFF,
    MAY_FIND_NOTHING,
)
"""Settings for a project of the recipe `tapes` on the stand-in of the tapes."""
TAPE_PROJECT = (
    'base = "recipe:tapes"',
    'project.name = "stand-in"',
    'corpus.audio = "tapes/audio"',
    'corpus.annotations = "tapes/selections"',
    'corpus.name_template = "site{site}_*"',
    'split.group = "site"',
)
HZ = {"dog_bark": 700.0, "rain": 2500.0}
ESC10_RATE, CLIP_S, TAKES = 44100, 1.0, 2


def make_esc10(folder: Path) -> None:
    """Bursts of two pitches, two clips of each class in each of the five folds, named as ESC-10 names its clips."""
    time_s = np.arange(round(CLIP_S * ESC10_RATE)) / ESC10_RATE
    for number, (label, hz) in enumerate(HZ.items()):
        (folder / label).mkdir(parents=True)
        for fold in range(1, 6):
            for take in range(TAKES):
                rng = np.random.default_rng([number, fold, take])
                burst = 0.3 * np.sin(2 * np.pi * hz * rng.uniform(0.8, 1.25) * time_s) * (time_s % 0.5 < 0.3)
                sound = burst + 0.02 * rng.standard_normal(len(time_s))
                source = 1000 * fold + 10 * number + take
                soundfile.write(folder / label / f"{fold}-{source}-A.ogg", sound, ESC10_RATE)


def make_tape_corpus(folder: Path) -> None:
    """Four tapes of 12 s from two sites with their selection tables."""
    # Imported here: processes that only read crops import this module, too.
    from ossicle.corpus.synthetic.tapes import SynthSettings, make_tapes

    make_tapes(
        folder,
        SynthSettings(tapes=4, minutes=0.2, sites=2, empty_tapes=0, calls_per_minute=40, confusers_per_minute=0),
    )


def make_tape_project(folder: Path, *settings: str) -> None:
    """A project of the recipe `tapes` on a corpus of its own; ``settings`` are lines of its file."""
    make_tape_corpus(folder / "tapes")
    (folder / "ossicle.toml").write_text("\n".join((*TAPE_PROJECT, *TINY_TAPES, *settings)) + "\n")


def make_appliances(folder: Path, seconds: float = 20.0, rate: int = 16000) -> None:
    """Eight recordings of every combination of two hums over noise, by day and by night."""
    folder.mkdir(parents=True)
    time = np.arange(round(seconds * rate)) / rate
    for number, part in enumerate(("day", "night")):
        for ac in (False, True):
            for fridge in (False, True):
                rng = np.random.default_rng([number, ac, fridge])
                wave = rng.normal(0, 1e-3, len(time)) + 0.05 * ac * np.sin(2 * np.pi * 250 * time)
                wave += 0.02 * fridge * np.sin(2 * np.pi * 1500 * time)
                states = ["on" if is_on else "off" for is_on in (ac, fridge)]
                soundfile.write(folder / f"ac-{states[0]}-fridge-{states[1]}-{part}.wav", wave, rate)


def make_drum_machines(folder: Path, machines: int = 4, rate: int = 16000) -> None:
    """A low tone, noise with a tone, and bright noise for each machine, in folders MACHINE/LABEL."""
    seconds = np.arange(rate // 8) / rate
    for machine in range(machines):
        rng = np.random.default_rng(machine)
        noise = rng.normal(0, 1, len(seconds))
        sounds = {
            "bd": np.sin(2 * np.pi * rng.uniform(50, 90) * seconds),
            "sd": 0.5 * np.sin(2 * np.pi * rng.uniform(170, 230) * seconds) + 0.3 * noise,
            "hh": 0.3 * np.diff(noise, prepend=0.0),
        }
        for label, sound in sounds.items():
            file = folder / f"machine{machine}" / label / "01.wav"
            file.parent.mkdir(parents=True)
            soundfile.write(file, 0.5 * np.exp(-30 * seconds) * sound, rate)


def voiced(word: int, speaker: int, seed: int, seconds: float = 0.3) -> NDArray[np.float64]:
    """A word of two vowels that depend on its number, at 16 kHz; the speaker decides pitch and formants."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(16000 * seconds)) / 16000
    glide = np.linspace(0, 1, len(times))
    low, high = (1 - glide) * (300 + 70 * (word % 5)) + glide * 500, 900 + 160 * word + 300 * glide
    pitch = 100 + 30 * speaker + rng.uniform(-5, 5)
    sound = 0.002 * rng.standard_normal(len(times))
    for k in range(1, 36):
        gain = sum(np.exp(-(((k * pitch - formant * (1 + 0.05 * speaker)) / 150) ** 2)) for formant in (low, high))
        sound += 0.05 * gain * np.sin(2 * np.pi * k * pitch * times)
    return sound


def make_spoken_digits(folder: Path) -> None:
    """Ten digits by four speakers, two takes each, in the folder and by the names of the real ones."""
    folder.mkdir(parents=True)
    for digit in range(10):
        for number, speaker in enumerate(("anna", "ben", "cleo", "dan")):
            for take in range(2):
                sound = voiced(digit, number, 100 * digit + 10 * number + take)
                soundfile.write(folder / f"{digit}_{speaker}_{take}.wav", sound, 16000)


def make_mboshi(folder: Path) -> None:
    """Three speakers, three utterances each, of five words with pauses between them, and their table of words."""
    (folder / "audio").mkdir(parents=True)
    lines = ["utterance\tstart_s\tend_s\tword"]
    for number, speaker in enumerate(("anna", "ben", "cleo")):
        for k in range(3):
            name, sounds = f"{speaker}_2026_{k}", []
            for index in range(5):
                word = (index + k) % 7
                start_s = 0.2 + 0.5 * index
                sounds += [np.zeros(3200), voiced(word, number, 10 * k + index)]
                lines.append(f"{name}\t{start_s:.4f}\t{start_s + 0.3:.4f}\tword{word}")
            soundfile.write(folder / "audio" / f"{name}.flac", np.concatenate(sounds), 16000)
    (folder / "words.tsv").write_text("\n".join(lines) + "\n")


STAND_INS: Mapping[str, Callable[[Path], None]] = {
    "appliances": make_appliances,
    "drum_machines": make_drum_machines,
    "esc10": make_esc10,
    "mboshi": make_mboshi,
    "spoken_digits": make_spoken_digits,
    "tapes": make_tape_corpus,
}
"""How to make the stand-in of a folder of real recordings, by its name."""
