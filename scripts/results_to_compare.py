"""What ``compare_results.py make`` does: projects run through the command line, on sound drawn here from fixed seeds.

Nothing of Ossicle is imported, so that it works before and after modules move.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000
OFF = '["silence", "white_noise", "hum", "speech_like", "recordings"]'
TAPES = """
[chunks]
core_s = 2.0
context_s = 0.2
[model.crnn]
channels = [8, 16]
pools = [5, 4]
hidden = 12
[training]
epochs = 4
steps_per_epoch = 10
batch_size = 4
learning_rate = 0.02
ema_decay = 0.7
validation_crops = 4
device = "cpu"
[decision]
min_length_s = [0.0, 0.06]
min_gap_s = [0.0, 0.06]
[evaluation]
bootstrap = 100
[report]
examples = 1
[variants.smooth]
postprocess = { kernel = [0.25, 0.5, 0.25], file_prior_top = 3, file_prior_power = 0.5 }
calibration.kind = "platt"
[variants.forest]
second_stage = { kind = "forest", trees = 40, inner_parts = 4 }
decision.on = [0.02, 0.05]  # too low, so that there are false alarms for a second stage to judge
[variants.boosting]
base = "forest"
second_stage.kind = "boosting"
[variants.other]
training = { seed = 1, loss = "bce_focal", label_smoothing = 0.05, average_epochs = 2 }
calibration.kind = "isotonic"
[variants.other.augment]
pitch_low = 0.9
time_high = 1.2
background_by = "snr"
early = { shift_probability = 0.5, hiss_probability = 0.5, polarity_probability = 0.5 }
spectral = { filter_probability = 0.5, power_probability = 0.5, treble_probability = 0.5, time_masks = 2 }
[ensemble]
members = [".", "other"]
rule = "learned"
"""
BIRDS = {
    "frontend.rate": RATE,
    "frontend.n_fft": 512,
    "frontend.n_mels": 32,
    "frontend.fmax_hz": 8000.0,
    "model.window.backbone": "test_resnet",
    "model.window.hidden": 32,
    "training.epochs": 50,
    "training.batch_size": 8,
    "training.ema_decay": 0.9,
    "training.learning_rate": 0.01,
    "training.validation_crops": 0,
    "augment.early.shift_s": 0.5,
    "evaluation.bootstrap": 100,
    "report.examples": 1,
}
ALL_FORMATS = "raven,csv,audacity,parquet,dcase,kaleidoscope"
NEW, TABLES = "tapes/new/audio", "tapes/new/selections"


class Ossicle:
    """The command line of the ossicle that this interpreter imports, run in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {key: value for key, value in os.environ.items() if key != "OSSICLE_DATA_ROOT"}
        # Commands run elsewhere, and a path that leads nowhere would quietly mean the installed ossicle.
        places = self.environment.get("PYTHONPATH", "").split(os.pathsep)
        self.environment["PYTHONPATH"] = os.pathsep.join(str(Path(one).resolve()) for one in places if one)

    def __call__(self, *arguments: object, said: str = "") -> None:
        """Run a command that must end well; what it prints goes into the file ``said``."""
        done = self.done(*arguments)
        if done.returncode:
            sys.exit(f"exit code {done.returncode} of ossicle {' '.join(map(str, arguments))}\n{done.stderr}")
        if said:
            (self.folder / said).parent.mkdir(exist_ok=True)
            (self.folder / said).write_text(done.stdout, encoding="utf-8")

    def done(self, *arguments: object, module: tuple[str, ...] = ("-m", "ossicle")) -> subprocess.CompletedProcess[str]:
        """Run a command, however it ends."""
        print(" ".join(map(str, (*module, *arguments))), flush=True)
        command = [sys.executable, *module, *map(str, arguments)]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )


def make(folder: Path, with_demo: bool) -> None:
    """Do all the work in ``folder``, which must be new."""
    folder.mkdir(parents=True)
    ossicle = Ossicle(folder.resolve())
    where = ossicle.done("import ossicle; print(ossicle.__file__)", module=("-c",)).stdout
    (folder / "made_with.txt").write_text(where, encoding="utf-8")
    print(f"with {where}", end="", flush=True)
    write_tapes(folder / "tapes" / "sound", "ABCDEFGH", 0)
    write_tapes(folder / "tapes" / "new", "JK", 1)
    write_clips(folder / "birds" / "audio")
    make_tapes(ossicle, folder / "tapes" / "work" / "ossicle.toml")
    make_birds(ossicle)
    if with_demo:
        ossicle("demo", "demo", "--progress", "none")
        ossicle("predict", "demo/bundle", "demo/field/audio", "-o", "demo/predicted", "--format", ALL_FORMATS)


def gate(ossicle: Ossicle, project: str) -> str:
    """What the table of the noise gate is called in project files of this version."""
    names = ("noise_gate", "gate")
    fits = (one for one in names if not ossicle.done("status", "-p", project, "--set", f"{one}.seed=0").returncode)
    return next(fits, names[0])


def make_tapes(ossicle: Ossicle, file: Path) -> None:
    """Long tapes: a project and its variants, an ensemble, a benchmark, an export, and predictions of new tapes."""
    sound = ("--audio", "tapes/sound/audio", "--annotations", "tapes/sound/selections")
    ossicle("new", "tapes", "tapes/work", *sound, "--group", "site", "--folds", 2, said="tapes/said/new.out")
    (file.parent / "as_scaffolded.toml").write_text(file.read_text())
    text = re.sub(r"\n\[(chunks|decision)\]\n([^\[\n].*\n?)*", "\n", file.read_text())
    text = re.sub("hop_samples = [0-9]+", "n_mels = 40\nhop_samples = 320", text)
    file.write_text(f"{text}{TAPES}[{gate(ossicle, 'tapes/work')}]\noff = {OFF}\n")
    here, quiet = ("-p", "tapes/work"), ("--progress", "none")
    ossicle("run", *here, *quiet)
    for name in ("smooth", "forest", "boosting", "other"):
        ossicle("run", *here, "--variant", name, *quiet)
    ossicle("ensemble", *here, *quiet)
    ossicle("benchmark", *here, "--corpus", NEW, "--annotations", TABLES, "-m", "bundle", "-m", "other", *quiet)
    precisions = ("--precision", "fp16,int8", "--folds", "--waveform", "--set", "export.int8_auc_drop=1")
    ossicle("export", *here, "-o", "tapes/work/export", *precisions, *quiet)
    ossicle("leaderboard", *here, "--json", said="tapes/said/leaderboard.json")
    for name in ("health", "stats"):
        ossicle("dataset", name, *here, "--json", said=f"tapes/said/{name}.json")
    for name, *options in (
        ("bundle",),
        ("bundle", "--runtime", "torch"),
        ("variants/smooth/bundle",),
        ("variants/forest/bundle",),
        ("variants/boosting/bundle",),
        ("ensemble/bundle",),
        ("export", "--precision", "int8"),
        ("export", "--folds"),
    ):
        out = "tapes/predicted/" + "_".join([*name.split("/"), *options]).replace("-", "")
        ossicle("predict", f"tapes/work/{name}", NEW, "-o", out, "--format", ALL_FORMATS, *options)
        score = ("--reference", TABLES, "--predictions", f"{out}/events.csv", "--bootstrap", 100, "--json")
        ossicle("score", *score, said=f"{out}/score.json")
    ossicle("convert", TABLES, "-o", "tapes/predicted/converted.csv", "--to", "csv")
    (tape,) = (ossicle.folder / NEW).glob("siteJ*")
    ossicle("stream", "tapes/work/variants/forest/bundle", tape, said="tapes/predicted/stream.jsonl")


def make_birds(ossicle: Ossicle) -> None:
    """Clips in class folders: a project, and predictions of half of its clips in both runtimes."""
    ossicle("new", "birds", "birds/work", "--audio", "birds/audio", said="birds/said/new.out")
    settings = BIRDS | {f"{gate(ossicle, 'birds/work')}.off": OFF}
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    ossicle("run", "-p", "birds/work", "--progress", "none", *sets)
    files = sorted((ossicle.folder / "birds" / "audio").rglob("*.flac"))[::2]
    for runtime in ("onnx", "torch"):
        out = f"birds/predicted/{runtime}"
        ossicle("predict", "birds/work/bundle", *files, "-o", out, "--runtime", runtime)


def write_tapes(folder: Path, sites: str, seed: int) -> None:
    """Tapes of 24 s with hums and trills, which are annotated, and tones, which are not."""
    (folder / "audio").mkdir(parents=True)
    (folder / "selections").mkdir()
    columns = "Selection,Begin Time (s),End Time (s),Low Freq (Hz),High Freq (Hz),Annotation,Quality"
    for number, site in enumerate(sites):
        rng = np.random.default_rng([seed, number])
        samples, rows = 0.003 * rng.standard_normal(24 * RATE), [columns.replace(",", "\t")]
        for slot in range(28):
            kind, trilling = rng.choice(["hum", "trill", "tone"], p=[0.3, 0.3, 0.4]), rng.random() < 0.5
            first, length = (
                round((0.6 + 0.82 * slot + rng.uniform(0, 0.35)) * RATE),
                round(rng.uniform(0.15, 0.4) * RATE),
            )
            hz = rng.uniform(2500, 3500) if kind == "trill" or (kind == "tone" and trilling) else rng.uniform(250, 350)
            at, halved = np.arange(length) / RATE, int(rng.integers(4))
            sound = np.sin(2 * np.pi * hz * at) * np.hanning(length)
            if kind == "trill":
                sound *= np.sin(2 * np.pi * 30 * at) > 0
            if kind == "hum":
                sound += 0.5 * np.sin(4 * np.pi * hz * at) * np.hanning(length)
            samples[first : first + length] += 0.15 / 2**halved * sound
            if kind != "tone":
                times = f"{first / RATE:.6f}\t{(first + length) / RATE:.6f}"
                rows.append(f"{len(rows)}\t{times}\t{0.8 * hz:.1f}\t{2.2 * hz:.1f}\t{kind}\t{halved + 1}")
        stem = f"site{site}_202506{10 + number}_050000_tape"
        soundfile.write(folder / "audio" / f"{stem}.wav", samples, RATE, subtype="PCM_16")
        table = folder / "selections" / f"{stem}.Table.1.selections.txt"
        table.write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_clips(folder: Path) -> None:
    """Clips of one to two seconds: whistles of three heights that rise or fall, with names as in ESC-50."""
    for label, hz in (("low", 500.0), ("middle", 1500.0), ("high", 5000.0)):
        (folder / label).mkdir(parents=True)
        for take in range(10):
            rng = np.random.default_rng([take, round(hz)])
            seconds = np.arange(RATE * (2 if take % 2 else 1)) / RATE
            height = hz * (1 + 0.2 * rng.uniform(-1, 1) * (seconds - 0.5))
            whistle = 0.3 * np.sin(2 * np.pi * np.cumsum(height) / RATE) * (seconds % 0.5 < 0.3)
            noisy = whistle + 0.02 * rng.standard_normal(len(seconds))
            soundfile.write(folder / label / f"{1 + take // 5}-{take}{round(hz)}-A.flac", noisy, RATE)
