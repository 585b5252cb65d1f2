"""A finished training of a large drums project, made up: annotations and out-of-fold scores straight into artefacts.

Every recording has hits of many labels and scores that find most of them: a score is a logistic of noise, which hits
raise; some hits are missed, and some raised stretches are no hits. All recordings are links to one short file, because
only examples are heard.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project, load_project
from ossicle.artefacts.array_files.blocks import write_track
from ossicle.artefacts.files import write_json
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.audio.wav import write_wav
from ossicle.core.digest import recording_id
from ossicle.core.records import Annotation, Recording
from ossicle.core.tracks import ScoreTrack, rasterise
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import write_index

RATE, HOP_S, N_FOLDS, RECORDINGS_OF_A_KIT = 8000, 0.01, 5, 8
LABELS = (
    "aux_percussion", "china", "crash", "cross_stick", "hihat_closed", "hihat_foot_splash", "hihat_open", "hihat_pedal",
    "kick", "ride_bell", "ride_bow", "rimshot", "snare", "splash", "tom_high", "tom_low", "tom_mid",
)  # fmt: skip
PROJECT = """base = "recipe:tapes"

[project]
name = "judging"

[corpus]
audio = "audio"

[split]
group = "kit"

[frontend]
rate = 8000
n_fft = 256
hop_samples = 80
fmax_hz = 4000.0

[decision]
off_ratio = [1.0]
min_length_s = [0.0]
min_gap_s = [0.0]
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a project is: recordings, annotations in each, and seconds of each."""

    recordings: int
    hits: int
    seconds: float

    @property
    def annotations(self) -> int:
        """All annotations."""
        return self.recordings * self.hits


def make_project(folder: Path, size: Size, settings: tuple[str, ...] = ()) -> tuple[Project, dict[str, Path]]:
    """Write a project with the artefacts that its decision needs; return it, with other ``settings``, and the artefacts
    by step.
    """
    folder.mkdir(parents=True)
    (folder / "ossicle.toml").write_text(PROJECT)
    artefacts = {name: folder / "made" / name for name in ("corpus", "dataset", "scores", "training")}
    for path in artefacts.values():
        path.mkdir(parents=True)
    recordings, annotations = [], []
    shares = 1 / np.arange(1, len(LABELS) + 1)
    scores = ScoresFolder(artefacts["scores"])
    for number in range(size.recordings):
        path = f"kit{number // RECORDINGS_OF_A_KIT:03d}/{number:05d}.wav"
        key = recording_id("tapes", path)
        generator = np.random.default_rng([7, number])
        labels = generator.choice(len(LABELS), size.hits, p=shares / shares.sum())
        starts = np.sort(generator.uniform(0, size.seconds - 0.3, size.hits)).round(6)
        ends = (starts + generator.uniform(0.06, 0.25, size.hits)).round(6)
        quality = generator.integers(1, 5, size.hits)
        annotations += [
            Annotation(key, start, end, LABELS[label], quality=grade)
            for start, end, label, grade in zip(
                starts.tolist(), ends.tolist(), labels.tolist(), quality.tolist(), strict=True
            )
        ]
        write_track(scores.track_path(key), _scores(generator, np.stack([starts, ends], axis=1), labels, size.seconds))
        recordings.append(
            Recording(key, "tapes", path, RATE, 1, round(size.seconds * RATE), f"{number:064x}", True,
                      fields={"kit": path.partition("/")[0]})
        )  # fmt: skip
    _write_sound(folder / "audio", recordings)
    _write_tables(artefacts, recordings, annotations)
    return load_project(folder / "ossicle.toml", settings), artefacts


def _scores(
    generator: np.random.Generator, times: NDArray[np.float64], labels: NDArray[np.int64], seconds: float
) -> ScoreTrack:
    """Return scores that raise nine tenths of the hits, a little moved, and a stretch without a hit for every tenth."""
    n_frames = round(seconds / HOP_S)
    raised = generator.random(len(times)) < 0.9
    raised_labels = labels[raised]
    moved = np.clip(times[raised] + generator.normal(0, 0.012, (len(raised_labels), 2)), 0, seconds)
    moved[:, 1] = np.maximum(moved[:, 1], moved[:, 0])
    false = generator.uniform(0, seconds - 0.3, len(times) // 10)
    false_of = generator.integers(0, len(LABELS), len(false))
    level = generator.standard_normal((n_frames, len(LABELS)), dtype=np.float32) * np.float32(0.8)
    for column in range(len(LABELS)):
        on = np.concatenate(
            [moved[raised_labels == column], np.stack([false, false + 0.1], axis=1)[false_of == column]]
        )
        level[:, column] += 8 * np.minimum(rasterise(on, n_frames, HOP_S), 1)
    return ScoreTrack(LABELS, 1 / (1 + np.exp(5 - level)), HOP_S, seconds)


def _write_sound(audio: Path, recordings: list[Recording]) -> None:
    first = audio / "sound.wav"
    audio.mkdir()
    write_wav(first, np.random.default_rng(0).normal(0, 0.1, recordings[0].n_samples).astype(np.float32), RATE)
    for recording in recordings:
        (audio / recording.path).parent.mkdir(exist_ok=True)
        os.link(first, audio / recording.path)


def _write_tables(artefacts: dict[str, Path], recordings: list[Recording], annotations: list[Annotation]) -> None:
    write_index(CorpusIndex(tuple(recordings), tuple(annotations)), CorpusFolder(artefacts["corpus"]))
    folds = {
        kit: rank % N_FOLDS for rank, kit in enumerate(sorted({recording.fields["kit"] for recording in recordings}))
    }
    held_out = {f"fold{fold}": [fold] for fold in sorted(set(folds.values()))}
    dataset = DatasetFolder(artefacts["dataset"])
    dataset.write_targets(annotations)
    dataset.write_folds(
        [
            {"recording_id": recording.id, "group": recording.fields["kit"], "fold": folds[recording.fields["kit"]]}
            for recording in recordings
        ]
    )
    dataset.write_split({"strategy": "grouped", "leaky": False, "models": held_out, "names": {}, "folds": []})
    training = TrainingFolder(artefacts["training"])
    training.write_summary({"held_out": {**held_out, FINAL: []}})
    for name in (*held_out, FINAL):
        training.run(name).path.mkdir()
        write_json(training.run(name).best, {})
        training.run(name).log_epoch({"epoch": 0, "train_loss": 0.1, "learning_rate": 0.01, "seconds": 1.0})
