"""Whether the disk has room for what a run writes: estimated bytes of each large artefact beside the free space."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.data import corpus, logmel, store
from ossicle.app.steps.engine.encoders import open_any_encoder
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.audio.encoders.settings import NEEDS_TORCH, NONE
from ossicle.core.errors import OssicleError
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.core.records import Recording
from ossicle.core.text.sizes import size_in_words
from ossicle.corpus.indexing.corpus_index import CorpusIndex

Needs = Mapping[str, int]
"""Bytes by what takes them, in the order in which a run writes them."""
# Rows of annotations in the index and the dataset, and rows of clips, with their columns.
_ANNOTATION_BYTES = 200
_RECORDING_BYTES = 1024
_SCORE_BYTES = 4
_EMBEDDING_BYTES = 2
_LEVEL_BYTES = 4


def disk_finding(project: Project, needs: Needs | None = None) -> Finding:
    """Compare what a run needs with the free space at the data root.

    Parameters
    ----------
    project
        The project.
    needs
        Estimated bytes; None if the recordings are unknown: then only the permission to write is checked.
    """
    folder = _existing(project.data_root)
    if not os.access(folder, os.W_OK):
        return Finding(
            "disk", False, f"{folder} is not writable; change its permissions, or choose another --data-root"
        )
    free = shutil.disk_usage(folder).free
    if needs is None:
        return Finding("disk", True, f"{size_in_words(free)} free at {folder}")
    needed_bytes, leave_gb = sum(needs.values()), project.settings.store.leave_gb
    parts = ", ".join(f"{name} {size_in_words(size)}" for name, size in needs.items())
    needed = f"about {size_in_words(needed_bytes)} needed ({parts}; models not counted)"
    message = f"{needed}, {size_in_words(free)} free at {folder}"
    if needed_bytes + leave_gb * 1e9 <= free:
        return Finding("disk", True, message)
    if leave_gb > 0 and needed_bytes - needs.get(store.STEP.name, 0) <= free:
        return Finding("disk", True, f"{message}; recordings that would leave less than {leave_gb:g} GB are not stored")
    return Finding("disk", False, f"{message}; free some space, choose another --data-root, or set [store] leave_gb")


def detector_needs(project: Project, index: CorpusIndex) -> Needs:
    """Return the bytes of the tables, the store, kept spectrograms and the scores of a detector that reads such.

    A store that is already built needs nothing. Scores are those of all annotated recordings, or of the shares of val
    and test.
    """
    used = _used(index)
    seconds = sum(recording.duration_s for recording in used)
    needs = {
        **_tables(len(index.annotations), len(index.recordings)),
        store.STEP.name: _store_bytes(project, used),
    }
    if project.settings.features.cache:
        needs[logmel.STEP.name] = _spectrogram_bytes(project, seconds)
    return {**needs, "scores": _score_bytes(project, seconds, len(index.annotations.labels))}


def event_needs(project: Project, events: int, recordings: int, seconds: float, labels: int) -> Needs:
    """Return what :func:`detector_needs` does from counts, where the recordings were not indexed yet."""
    stored = 0 if project.settings.store.raw else round(2 * seconds * project.settings.frontend.rate)
    needs = {**_tables(events, recordings), store.STEP.name: stored}
    if project.settings.features.cache:
        needs[logmel.STEP.name] = _spectrogram_bytes(project, seconds)
    return {**needs, "scores": _score_bytes(project, seconds, labels)}


def feature_needs(project: Project, index: CorpusIndex) -> Needs:
    """Return the bytes of the tables and of the embeddings, if the encoder says how many there are without torch."""
    spec = _spec(project)
    tables = _tables(len(index.annotations), len(index.recordings))
    if spec is None:
        return tables
    features = project.settings.features
    tokens = 1.0 + (features.window_s / spec.hop_s if spec.hop_s else 0.0)
    windows = sum(recording.duration_s / features.hop_s + 1 for recording in _used(index)) * (1 + features.copies)
    return {**tables, "features": round(windows * tokens * spec.dim * _EMBEDDING_BYTES)}


def _tables(annotations: int, recordings: int) -> dict[str, int]:
    return {"tables": _ANNOTATION_BYTES * annotations + _RECORDING_BYTES * recordings}


def _score_bytes(project: Project, seconds: float, labels: int) -> int:
    split = project.settings.split
    if not split.kind.judges_recordings:
        return 0
    share = 1.0 - split.train_share if split.kind.holds_out_once else 1.0
    return round(share * seconds / project.settings.plan.hop_s * labels * _SCORE_BYTES)


def _used(index: CorpusIndex) -> list[Recording]:
    return [recording for recording in index.recordings if recording.reviewed or recording.id in index.examined]


def _store_bytes(project: Project, used: Sequence[Recording]) -> int:
    if find_steps((corpus.STEP, store.STEP), project)[store.STEP.name] is not None:
        return 0
    # Imported here: `ossicle status` needs no store.
    from ossicle.audio.store.choice import by_settings, spool_bytes, stored_bytes
    from ossicle.audio.store.entries import StoreItem

    rate = project.settings.frontend.rate
    items = [
        # Neither its file nor its digest matters for its size.
        StoreItem(
            recording.id,
            Path(recording.path),
            recording.digest,
            rate=recording.rate,
            n_samples=recording.n_samples,
            status=recording.status,
        )
        for recording in used
        if recording.rate
    ]
    inside, _ = by_settings(items, project.settings.store)
    return stored_bytes(inside, rate) + project.settings.project.workers * spool_bytes(inside, rate)


def _spectrogram_bytes(project: Project, seconds: float) -> int:
    front = project.settings.frontend
    rows = seconds * front.rate / front.hop_samples
    return round(rows * (front.n_mels * _EMBEDDING_BYTES + _LEVEL_BYTES))


def _spec(project: Project) -> EncoderSpec | None:
    settings = project.settings.encoder.opened
    if settings.name == NONE or settings.name in NEEDS_TORCH:
        return None
    try:
        return open_any_encoder(settings, project.folder).spec
    except OssicleError:
        # The step that opens it says what is missing.
        return None


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
