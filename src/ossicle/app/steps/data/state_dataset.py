"""Step ``dataset`` of a pipeline for states: the dataset of every pipeline, the files and the windows."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.data import dataset
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.states import StateDatasetFolder
from ossicle.audio.decoding.mono import MonoStream
from ossicle.core.decisions.states import StateDecision, overall_status
from ossicle.core.records import Annotation, Recording, grouped
from ossicle.core.settings import digestible
from ossicle.core.text.counting import counted
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.windows.loudness import loudest, window_rms
from ossicle.corpus.windows.window_truth import ON_TRUTH, UNKNOWN_TRUTH, recording_states, window_truth

TABLES_VERSION = 1
"""Raised when the two tables change; the rest is versioned by the dataset of every pipeline."""
_FIXED = ("path", "duration_s", "rate", "labels", "state", "id")


def run(context: Context) -> None:
    """Write the dataset, ``files.csv`` and ``windows.parquet``."""
    dataset.run(context)
    settings, output = context.project.settings, context.own(StateDatasetFolder)
    index = read_index(context.read(CorpusFolder))
    labels, decision = output.labels, settings.states.decision(output.labels)
    notes = grouped(index.annotations, lambda annotation: annotation.recording_id)
    output.write_files(_files(index, notes, labels, decision, settings.split.group))
    reviewed = [recording for recording in index.recordings if recording.reviewed and recording.status != "left_out"]
    frames: list[pl.DataFrame] = []
    counts: dict[str, dict[str, int]] = {"windows": {}, "dropped": {}}

    def levels(recording: Recording) -> NDArray[np.float64]:
        return recording_rms(context.project, recording)

    with ThreadPoolExecutor(settings.project.workers) as pool:
        for done, (recording, rms) in enumerate(zip(reviewed, pool.map(levels, reviewed), strict=True), start=1):
            is_quiet = ~loudest(rms, settings.dataset.drop_loudest)
            counts["windows"][recording.path], counts["dropped"][recording.path] = len(rms), int((~is_quiet).sum())
            unknown = index.unknown.get(recording.id, ())
            frames.append(
                _windows(recording, rms, is_quiet, notes.get(recording.id, []), labels, unknown, settings.features)
            )
            context.progress.advance(done, len(reviewed), "levels")
    output.write_windows(pl.concat(frames) if frames else pl.DataFrame(schema=output.WINDOW_SCHEMA))
    without = [path for path, n in counts["windows"].items() if n == 0]
    output.write_window_counts({**counts, "without": without})
    context.progress.say(counts_in_words(counts["windows"], counts["dropped"]))
    if without:
        context.progress.say(
            f"{counted(len(without), 'recording')} shorter than a window of {settings.features.window_s:g} s "
            f"({without[0]}{' first' * (len(without) > 1)}): nothing is trained or judged on them; set a shorter "
            "[features] window_s"
        )


def recording_rms(project: Project, recording: Recording) -> NDArray[np.float64]:
    """Return the level of each full window of a recording at its own rate, shape (n_windows,)."""
    features = project.settings.features
    file = project.roots.file(recording)
    blocks = MonoStream(file, recording.rate, channel=project.settings.audio.name)
    return window_rms(blocks, features.window_samples(recording.rate), features.hop_samples(recording.rate))


def counts_in_words(windows: Mapping[str, int], dropped: Mapping[str, int]) -> str:
    """Return how many windows there are and how many were dropped, for the console.

    >>> counts_in_words({"a.wav": 100, "b.wav": 100}, {"a.wav": 1, "b.wav": 1})
    '200 windows of 2 recordings; the loudest 2 are not trained on (1 each)'
    """
    text = f"{counted(sum(windows.values()), 'window')} of {counted(len(windows), 'recording')}"
    lost = sorted(set(dropped.values()))
    if not any(lost):
        return text
    each = f"{lost[0]}" if len(lost) == 1 else f"{lost[0]} to {lost[-1]}"
    return f"{text}; the loudest {sum(dropped.values())} are not trained on ({each} each)"


def _files(
    index: CorpusIndex,
    notes: Mapping[str, Sequence[Annotation]],
    labels: Sequence[str],
    decision: StateDecision,
    group: str,
) -> pl.DataFrame:
    """Return a row for each recording, with a column for each label: on, off or unknown."""
    rows: list[dict[str, Any]] = []
    for recording in index.recordings:
        unknown = index.unknown.get(recording.id, ()) if recording.reviewed else labels
        states = recording_states(recording.duration_s, notes.get(recording.id, []), labels, unknown)
        row: dict[str, Any] = {"path": recording.path, "duration_s": recording.duration_s, "rate": recording.rate}
        row |= {label: state for label, state in states.items() if label not in _FIXED}
        row["labels"] = ";".join(label for label, state in states.items() if state == "on")
        row["state"] = overall_status(decision.hidden(states), decision.priority)
        if group not in row and group not in ("recording", "id"):
            row[group] = recording.fields.get(group, "")
        rows.append({**row, "id": recording.id})
    return pl.DataFrame(rows)


def _windows(
    recording: Recording,
    rms: NDArray[np.float64],
    is_kept: NDArray[np.bool_],
    notes: Sequence[Annotation],
    labels: Sequence[str],
    unknown: Sequence[str],
    features: Any,
) -> pl.DataFrame:
    hop_s = features.hop_samples(recording.rate) / recording.rate
    window_s = features.window_samples(recording.rate) / recording.rate
    starts_s = np.flatnonzero(is_kept) * hop_s
    truth = window_truth(starts_s, window_s, notes, labels, unknown)
    return pl.DataFrame(
        {
            "recording_id": [recording.id] * len(starts_s),
            "path": [recording.path] * len(starts_s),
            "start_s": starts_s,
            "end_s": starts_s + window_s,
            "rms": rms[is_kept],
            "labels": [_labels_with_value(labels, row, ON_TRUTH) for row in truth],
            "unknown": [_labels_with_value(labels, row, UNKNOWN_TRUTH) for row in truth],
        },
        schema=dict(StateDatasetFolder.WINDOW_SCHEMA),
    )


def _labels_with_value(labels: Sequence[str], row: NDArray[np.int8], value: int) -> list[str]:
    return [label for label, state in zip(labels, row, strict=True) if state == value]


def _settings(project: Project) -> Mapping[str, Any]:
    settings = project.settings
    return {
        **dataset.STEP.settings(project),
        **digestible(settings.audio),
        "states": digestible(settings.states),
        "window_s": settings.features.window_s,
        "hop_s": settings.features.hop_s,
        "tables": TABLES_VERSION,
    }


STEP = Step(
    name=dataset.STEP.name,
    version=dataset.STEP.version,
    needs=dataset.STEP.needs,
    settings=_settings,
    run=run,
    extra=dataset.STEP.extra,
)
