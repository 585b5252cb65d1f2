"""Folders of score files for ``ossicle score --scores``: DCASE tables, one a recording, and Ossicle's score tracks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ossicle.artefacts.array_files.blocks import read_track
from ossicle.artefacts.files import read_json
from ossicle.artefacts.shelf import MANIFEST
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import digest, normal_path
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.window_tables.score_tables import read_dcase_scores
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.naming.file_listing import files_below
from ossicle.corpus.naming.name_template import stem_of
from ossicle.metrics.frames import FrameScores, frames_of


@dataclass(frozen=True, slots=True)
class ScoreSet:
    """Scores by recording name, with columns in the order of ``labels``, and durations in seconds by recording name."""

    labels: tuple[str, ...]
    tracks: Mapping[str, FrameScores]
    durations_s: Mapping[str, float]


def read_score_set(source: Path) -> ScoreSet:
    """Read the scores of a folder: ``.tsv`` tables of DCASE, Ossicle's tracks, or the output of the step ``scores``.

    Names are paths in the folder without suffixes. For the step ``scores`` they come from its corpus artefact in the
    same data root. A recording of a table ends with its last frame.

    Raises
    ------
    UsageError
        There is nothing to read, or the recordings are unknown.
    FormatError
        A file cannot be read, or scores other labels than the first; the message names the file.
    """
    if not source.is_dir():
        raise UsageError(f"{source}: is not a folder; give the folder with the score files")
    scores = ScoresFolder(source)
    folder = scores.tracks if scores.tracks.is_dir() else source
    score_files: dict[str, tuple[Path, tuple[str, ...], FrameScores, float]] = {}
    for name in files_below(folder, frozenset({".tsv", ".npy"})):
        path = folder / name
        key = stem_of(normal_path(name)[: -len(path.suffix)], SUFFIXES)
        if key in score_files:
            raise FormatError(f"{path} and {score_files[key][0]} are both scores of {key}; remove one of them")
        score_files[key] = (path, *(_table(path, key) if path.suffix.lower() == ".tsv" else _track(path)))
    if not score_files:
        raise UsageError(
            f"{source}: contains no scores (.tsv tables `onset offset CLASS...`, or score tracks of Ossicle)"
        )
    first, labels = next((path, labels) for path, labels, _, _ in score_files.values())
    tracks = {}
    for key, (path, file_labels, frames, _) in score_files.items():
        if set(file_labels) != set(labels) or len(file_labels) != len(labels):
            raise FormatError(
                f"{path}: has the labels {', '.join(file_labels)}, but {first.name} has {', '.join(labels)}; "
                "all files need the same labels"
            )
        order = [file_labels.index(label) for label in labels]
        tracks[key] = frames if file_labels == labels else FrameScores(frames.edges_s, frames.scores[:, order])
    names = _names_of_ids(folder.parent, tracks) if folder.name == scores.TRACKS else {key: key for key in tracks}
    durations = {names[key]: duration_s for key, (_, _, _, duration_s) in score_files.items()}
    return ScoreSet(labels, {names[key]: track for key, track in tracks.items()}, durations)


def _table(path: Path, key: str) -> tuple[tuple[str, ...], FrameScores, float]:
    table = read_dcase_scores(path, key)
    windows = table.files[key]
    edges = np.append(windows.times_s[:, 0], windows.times_s[-1:, 1]) if len(windows.times_s) else np.zeros(1)
    try:
        return table.labels, FrameScores(edges, windows.values), float(edges[-1])
    except ValueError as problem:
        raise FormatError(f"{path}: {problem}") from None


def _track(path: Path) -> tuple[tuple[str, ...], FrameScores, float]:
    track = read_track(path.with_suffix(""))
    try:
        return track.labels, frames_of(track), track.duration_s
    except ValueError as problem:
        raise FormatError(f"{path.with_suffix('.npy')}: {problem}; score the recording again") from None


def _names_of_ids(artefact: Path, ids: Mapping[str, FrameScores]) -> dict[str, str]:
    """Return the name of each recording id, from the corpus whose recordings this ``scores`` artefact read."""
    # Imported here: only this function needs the steps and their imports.
    from ossicle.app.steps.score.scores import audio_digest

    if not (artefact / MANIFEST).is_file():
        return {key: key for key in ids}
    read = read_json(artefact / MANIFEST).get("inputs", {}).get(CorpusFolder.step)
    beside = artefact.parent.parent / CorpusFolder.step
    for corpus in sorted(beside.glob("*/")):
        if not (corpus / MANIFEST).is_file():
            continue
        recordings = read_index(CorpusFolder(corpus)).recordings
        # Scores that were made before the lengths of MP3 files counted have the digest without them.
        if read in (audio_digest(corpus), digest(sorted([recording.id, recording.digest] for recording in recordings))):
            paths = {recording.id: recording.path for recording in recordings}
            stems = [stem_of(path, SUFFIXES) for path in paths.values()]
            return {key: stem_of(paths[key], SUFFIXES) if len(set(stems)) == len(stems) else paths[key] for key in ids}
    raise UsageError(
        f"{artefact}: the names of its recordings are not in {beside}; give the folder inside the data root, where "
        "`ossicle run` wrote it"
    )
