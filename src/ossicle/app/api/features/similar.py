"""Find the stretches of a project's recordings that are most like a given sound."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.app.api.features.build import existing_features
from ossicle.app.api.features.similar_frames import similar_frames
from ossicle.app.project.load import Project
from ossicle.app.steps.engine.encoders import open_features_encoder
from ossicle.artefacts.array_files.npy_header import HEADER_BYTES
from ossicle.artefacts.features.search import StoredRows, search
from ossicle.artefacts.features.shard import array_file
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.encoders.frames.blocks import encode_frames
from ossicle.audio.encoders.spec import Encoder
from ossicle.audio.encoders.windows import encode_recording
from ossicle.audio.probe import probe
from ossicle.bundle.encoders.table import require_same
from ossicle.core.errors import UsageError
from ossicle.core.model_input.channel import LOUDEST, MEAN
from ossicle.core.model_input.missing_band import missing_from_hz, missing_words
from ossicle.core.text.counting import counted
from ossicle.corpus.indexing.index_storage import read_index

_LEAST_DEVIATION = 1e-6
# What the rounding of samples leaves of channels that cancel is 60 dB or more below them.
_LEAST_SHARE = 1e-3


@dataclass(frozen=True, slots=True)
class SimilarStretch:
    """A stretch of a recording like a given sound; ``similarity`` is the cosine, at most 1."""

    path: str
    start_s: float
    end_s: float
    similarity: float


def find_similar(
    project: Project,
    example: Path,
    *,
    start_s: float = 0.0,
    duration_s: float | None = None,
    most: int = 20,
    threads: int = 2,
) -> list[SimilarStretch]:
    """Return the stretches of a project's recordings that are most like a sound.

    Every dimension is centred and divided by its deviation over the project's windows first, so that the cosine does
    not depend on what all windows have in common. Of stretches that overlap only the most similar one is returned. In a
    project for acoustic units, stretches as long as the example are compared with it in four parts, in order.

    Parameters
    ----------
    project
        A project with features.
    example
        An audio file.
    start_s, duration_s
        The stretch of it to search for, in seconds; None reads to its end.
    most
        How many stretches to return.
    threads
        Threads of the search.

    Raises
    ------
    UsageError
        The project has no features, or the example is too short.
    BundleError
        The encoder of the project is not the one that the features were made with.
    AudioError
        The example cannot be read.
    """
    artefacts = existing_features(project)
    features_folder = FeaturesFolder.among(artefacts)
    settings = project.settings
    encoder = open_features_encoder(settings.encoder.opened, project.folder, settings.head.unfreeze_blocks, threads)
    require_same(features_folder.spec, encoder.spec, f"the encoder of {project.file}")
    samples = _example_samples(project, example, encoder.spec.rate, start_s, duration_s)
    if features_folder.of_frames:
        return _in_segments(features_folder, artefacts, samples, encoder, most, str(example))
    mean, deviation = features_folder.scale()
    centre = mean.astype(np.float32)
    scale = (1 / np.where(deviation > _LEAST_DEVIATION, deviation, np.inf)).astype(np.float32)
    tokens = example_embedding(samples, encoder, features_folder.window_s, features_folder.hop_s, str(example))
    query = ((tokens - centre) * scale).mean(axis=0)
    arrays, names = [], []
    for name in features_folder.shard_names:
        index = features_folder.indexes[name]
        arrays.append(
            StoredRows(array_file(features_folder.shards, name), HEADER_BYTES, index.windows, index.tokens, index.dim)
        )
        names.append(name)
    # Windows that overlap a better one are dropped below, so more are asked for.
    overlapping = 2 * int(np.ceil(features_folder.window_s / features_folder.hop_s)) + 1
    hits = search(arrays, query, most * overlapping, centre=centre, scale=scale, threads=threads)
    paths = {recording.id: recording.path for recording in read_index(CorpusFolder.among(artefacts)).recordings}
    stretches: list[SimilarStretch] = []
    taken: dict[str, list[float]] = {}
    for hit in hits:
        entries = features_folder.indexes[names[hit.array]].entries
        entry = next(
            feature_entry
            for feature_entry in entries
            if feature_entry.first <= hit.row < feature_entry.first + feature_entry.windows
        )
        begin = (hit.row - entry.first) * features_folder.hop_s
        others = taken.setdefault(entry.recording_id, [])
        if all(abs(begin - other) >= features_folder.window_s for other in others):
            others.append(begin)
            stretches.append(
                SimilarStretch(paths[entry.recording_id], begin, begin + features_folder.window_s, hit.similarity)
            )
        if len(stretches) == most:
            break
    return stretches


def _example_samples(
    project: Project, example: Path, rate: int, start_s: float, duration_s: float | None
) -> NDArray[np.float32]:
    """Return the sound to search for; raises UsageError if its channels leave nothing of it in their mean."""
    channel = project.settings.audio.name
    samples = load_mono(example, rate, start_s, duration_s, channel=channel)
    if channel == MEAN and probe(example).channels > 1:
        loudest = load_mono(example, rate, start_s, duration_s, channel=LOUDEST)
        if float(np.linalg.norm(samples)) < _LEAST_SHARE * float(np.linalg.norm(loudest)):
            raise UsageError(
                f"{example}: the channels cancel each other in their mean, so nothing is left to search for; save one "
                "of them as a file of its own, or set [audio] channel to first or loudest and build the features again"
            )
    return samples


def band_notes(project: Project, example: Path) -> list[str]:
    """Return in words which sound lacks a part of the band that the encoder reads: the example, and recordings.

    Parameters
    ----------
    project
        A project with features.
    example
        The sound that was searched for.

    Returns
    -------
    list of str
        A sentence for the example and one for the recordings, where they lack a part of the band.

    Raises
    ------
    UsageError
        The project has no features.
    AudioError
        The example cannot be read.
    """
    artefacts = existing_features(project)
    top_hz = FeaturesFolder.among(artefacts).spec.rate / 2
    recordings = [
        recording
        for recording in read_index(CorpusFolder.among(artefacts)).recordings
        if recording.status != "left_out"
    ]
    notes = []
    if message := missing_words(probe(example).rate, top_hz):
        notes.append(f"{example}: {message}")
    narrow = [recording for recording in recordings if missing_from_hz(recording.rate, top_hz) is not None]
    if narrow:
        message = missing_words(narrow[0].rate, top_hz)
        notes.append(
            f"{len(narrow)} of {counted(len(recordings), 'recording')} lack a part of the band, first {narrow[0].path} "
            f"({message}); they are less like a sound that needs it"
        )
    return notes


def _in_segments(
    features: FeaturesFolder,
    artefacts: Mapping[str, Path],
    samples: NDArray[np.float32],
    encoder: Encoder,
    most: int,
    source: str,
) -> list[SimilarStretch]:
    """Return the stretches of segments that are most like a sound."""
    _require_sound(samples, source)
    parts = [encoded_frames.values for encoded_frames in encode_frames([samples], encoder)]
    if not parts:
        raise UsageError(f"{source}: there is no sound in this stretch; give another one")
    example = np.concatenate(parts)
    rows = SegmentsFolder.among(artefacts).table().select("segment_id", "recording_id", "start_s").iter_rows()
    places = {segment_id: (recording_id, start_s) for segment_id, recording_id, start_s in rows}
    paths = {recording.id: recording.path for recording in read_index(CorpusFolder.among(artefacts)).recordings}
    length_s = (len(example) - 1) * features.hop_s + features.window_s
    stretches = []
    for hit in similar_frames(features, example, most):
        recording_id, segment_start_s = places[hit.segment_id]
        begin_s = segment_start_s + hit.first * features.hop_s
        stretches.append(SimilarStretch(paths[recording_id], begin_s, begin_s + length_s, hit.similarity))
    return stretches


def example_embedding(
    samples: NDArray[np.float32], encoder: Encoder, window_s: float, hop_s: float, source: str
) -> NDArray[np.float32]:
    """Return the mean tokens of the windows of a sound, shape (windows, dim).

    A sound shorter than a window is one window: as it is if the encoder accepts its length, else repeated.

    Raises
    ------
    UsageError
        There is no sound.
    """
    rate = encoder.spec.rate
    window = round(window_s * rate)
    _require_sound(samples, source)
    if len(samples) < window:
        if encoder.spec.length_fault(len(samples)):
            samples = np.resize(samples, window)
        mean: NDArray[np.float32] = encoder.encode(samples[None]).mean(axis=1)
        return mean
    parts = encode_recording([samples], encoder, window, max(1, round(hop_s * rate)))
    return np.concatenate([part.embeddings[0].mean(axis=1) for part in parts])


def _require_sound(samples: NDArray[np.float32], source: str) -> None:
    """Raise UsageError for no samples, and for digital silence, to which nothing is alike in any useful way."""
    if not samples.any():
        raise UsageError(f"{source}: there is no sound in this stretch; give another one")
