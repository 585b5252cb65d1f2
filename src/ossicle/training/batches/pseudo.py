"""Pseudo-labelled windows in a training: which of them a model may use, and what its crops read of them.

Each model of a cross-validation selects its own windows (:func:`lesson`) from its held-out data and the information
stored in the rounds. A model that holds a fold out therefore never learns from labels that came from models trained on
this fold, and never reads an unlabelled recording of a group that it holds out.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder, UnlabelledFolder
from ossicle.audio.store import Store
from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.records import Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.pseudo_labels.rounds import RoundHead, choose_view, read_head, read_windows, round_digest
from ossicle.corpus.pseudo_labels.settings import PseudoSettings
from ossicle.corpus.pseudo_labels.windows import Labelled, Windows, all_of, labelled_recordings, relabelled, together


@dataclass(frozen=True, slots=True)
class PseudoSource:
    """Location of pseudo-labels: rounds (the latest first), the artefacts ``dataset`` and ``corpus``, and the index and
    store of the unlabelled recordings.

    ``group`` is the field that the split keeps together; ``own_group`` is the field by which unlabelled recordings are
    excluded, if they share a value with a held-out recording.
    """

    rounds: tuple[Path, ...]
    dataset: DatasetFolder
    corpus: CorpusFolder
    unlabelled: UnlabelledFolder
    store: Path
    group: str
    own_group: str
    settings: PseudoSettings


@dataclass(frozen=True, slots=True)
class Lesson:
    """The windows that one model may use, their ``(round, its digest, view)``, and the number of unused ones, by
    reason.

    ``taught``: the labelled recordings on which the models behind these labels were trained, in any earlier round.
    """

    windows: Windows
    views: tuple[tuple[str, str, str], ...]
    unused: Mapping[str, int]
    taught: Labelled

    def heard(self) -> set[str]:
        """The unlabelled recordings (ids) of these windows."""
        return set(self.windows.recordings.tolist())


def split_recordings(dataset: DatasetFolder, corpus: CorpusIndex, folds: tuple[int, ...]) -> tuple[Labelled, Labelled]:
    """Return the recordings on which a model trains, and those that it holds out, if ``folds`` are held out."""
    digests = {recording.id: recording.digest for recording in corpus.recordings}
    places = dataset.clips.places()
    # A recording without a clip (reviewed, nothing found, no noise drawn) is held out too.
    places += [(row["recording_id"], row["group"], row["fold"]) for row in dataset.folds.iter_rows(named=True)]

    def of(within: bool) -> Labelled:
        places_within = [(key, group) for key, group, fold in places if (fold in folds) == within]
        return Labelled(
            frozenset(key for key, _ in places_within),
            frozenset(digests[key] for key, _ in places_within),
            frozenset(group for _, group in places_within),
        )

    return of(False), of(True)


def lesson(source: PseudoSource, plan: ChunkPlan, folds: tuple[int, ...], model: str) -> Lesson:
    """Return the windows that the model which holds out ``folds`` may use; ``model`` is its name, for messages.

    Raises
    ------
    SplitError
        For a round without an allowed view (``corpus.pseudo_labels.rounds.choose_view``).
    UsageError
        For rounds on another grid or with different labels.
    FormatError
        For a damaged round.
    """
    corpus, unlabelled = read_index(source.corpus), read_index(source.unlabelled)
    _, held_out = split_recordings(source.dataset, corpus, folds)
    refusal = _refusals(source, corpus, unlabelled, held_out)
    parts: list[Windows] = []
    views: list[tuple[str, str, str]] = []
    unused: Counter[str] = Counter()
    taught: list[Labelled] = []
    taken_ids: set[str] = set()
    for path in source.rounds:
        head = read_head(path)
        _require_grid(head, plan)
        view = choose_view(head, held_out, source.group, model)
        windows = read_windows(head, view)
        if parts and windows.labels != parts[0].labels:
            raise UsageError(f'{path}: has other labels than {source.rounds[0].name}; use [pseudo] rounds = "latest"')
        reasons = {
            recording: "a later round labels its recording again" if recording[0] in taken_ids else refusal(*recording)
            for recording in set(zip(windows.recordings.tolist(), windows.digests.tolist(), strict=True))
        }
        window_reasons = [
            reasons[recording] for recording in zip(windows.recordings.tolist(), windows.digests.tolist(), strict=True)
        ]
        unused.update(recording for recording in window_reasons if recording)
        parts.append(windows.take(np.array([not reason for reason in window_reasons], dtype=np.bool_)))
        taken_ids |= {key for (key, _), reason in reasons.items() if not reason}
        views.append((head.name, round_digest(path), view))
        taught.append(head.taught[view])
    return Lesson(together(parts), tuple(views), dict(sorted(unused.items())), all_of(taught))


def _require_grid(head: RoundHead, plan: ChunkPlan) -> None:
    if head.core_frames != plan.core_frames or abs(head.hop_s - plan.hop_s) > 1e-9:
        raise UsageError(
            f"{head.path}: its windows are {head.core_frames} frames of {1000 * head.hop_s:g} ms, and this model "
            f"reads {plan.core_frames} of {1000 * plan.hop_s:g} ms at a time: train with the [chunks] of the models "
            'that made it, or exclude it with [pseudo] rounds = "none" and make a new round'
        )


def _refusals(
    source: PseudoSource, corpus: CorpusIndex, unlabelled: CorpusIndex, held_out: Labelled
) -> Callable[[str, str], str]:
    """Return why windows of a recording (id and digest) are not used; empty if they are."""
    known = {recording.id: recording for recording in unlabelled.recordings}
    labelled = {recording.digest for recording in labelled_recordings(corpus)}
    decoded = set(Store(source.store).ids)
    # By their own field, which may differ from the split's: scenes made from a fold's clips carry its number.
    held = [recording for recording in corpus.recordings if recording.id in held_out.ids]
    groups = frozenset(
        recording.fields[source.own_group] for recording in held if recording.fields.get(source.own_group)
    )
    return partial(_refusal, known, labelled, decoded, groups, source.own_group)


def _refusal(
    known: Mapping[str, Recording],
    labelled: set[str],
    decoded: set[str],
    held_out: frozenset[str],
    group: str,
    recording_id: str,
    digest: str,
) -> str:
    recording = known.get(recording_id)
    if recording is None:
        return "its recording is not there any more"
    if recording.digest != digest:
        return "the sound of its recording changed"
    if digest in labelled:
        return "its recording is labelled by now"
    if recording_id not in decoded:
        return "its recording cannot be decoded"
    if recording.fields.get(group) in held_out:
        return f"its {group} is held out"
    return ""


class PseudoCrops:
    """The windows of a lesson as crops of a training with given labels and plan.

    Labels that are not in the round are masked; windows whose highest label is not in the training are left out.
    """

    def __init__(
        self,
        windows: Windows,
        store: Store,
        labels: tuple[str, ...],
        plan: ChunkPlan,
        settings: PseudoSettings,
    ) -> None:
        taught = np.array([label in labels for label in windows.labels], dtype=np.bool_)
        every = tuple(dict.fromkeys((*labels, *windows.labels)))
        self.windows = relabelled(windows.take(taught[windows.top]), every)
        self.settings = settings
        self._store, self._labels, self._plan = store, labels, plan
        self._known = np.array([label in windows.labels for label in labels], dtype=np.float32)
        self._by_label = {label: np.flatnonzero(self.windows.top == column) for column, label in enumerate(labels)}
        self._all = np.arange(len(self.windows))

    def draw(self, label: str, rng: np.random.Generator) -> int | None:
        """Return the window that replaces a crop of a clip with ``label`` ("" for noise), or None."""
        if rng.random() >= self.settings.probability:
            return None
        among: NDArray[np.int64] = self._by_label.get(label, self._all[:0]) if self.settings.same_class else self._all
        return int(among[int(rng.integers(len(among)))]) if len(among) else None

    def label(self, window: int) -> str:
        """Return the highest label of a window."""
        return self.windows.labels[int(self.windows.top[window])]

    def place(self, window: int) -> tuple[str, int]:
        """Return the recording of a window, and the start of its chunk's first frame, in samples at the plan's rate."""
        first = int(self.windows.start_frames[window]) - self._plan.context_frames
        return str(self.windows.recordings[window]), first * self._plan.hop_samples

    def read(self, window: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return samples (chunk_samples,), soft targets and mask (chunk_frames, n_labels) of a window, all float32.

        The mask is 0, and the target 1, for everything outside the round: the context, frames after the end, and labels
        that it does not have.
        """
        plan, (key, start) = self._plan, self.place(window)
        offset = (plan.window_samples - plan.hop_samples) // 2
        samples = self._store.read(key, start - offset, plan.chunk_samples)
        frames = np.arange(plan.chunk_frames)
        core = (frames >= plan.context_frames) & (frames < plan.context_frames + plan.core_frames)
        core &= start + plan.hop_samples * frames < self._store.n_samples(key)
        mask = core[:, None].astype(np.float32) * self._known
        targets = np.ones((plan.chunk_frames, len(self._labels)), dtype=np.float32)
        inner = slice(plan.context_frames, plan.context_frames + plan.core_frames)
        targets[inner] = self.windows.target(window, plan.core_frames)[:, : len(self._labels)]
        targets[mask == 0] = 1.0
        return samples, targets, mask


def load_pseudo(
    source: PseudoSource, labels: tuple[str, ...], plan: ChunkPlan, folds: tuple[int, ...], model: str
) -> PseudoCrops:
    """Return the pseudo-labelled crops of the model that holds out ``folds``; see :func:`lesson` for errors."""
    usable = lesson(source, plan, folds, model)
    return PseudoCrops(usable.windows, Store(source.store), labels, plan, source.settings)
