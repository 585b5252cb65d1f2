"""Pseudo-labelled windows in a training: which of them one model may learn from, and what its crops read of them.

Each model of a cross-validation finds its own windows (:func:`lesson`), from what it holds out and what the rounds say
of themselves; nobody hands it a choice. So a model that holds a fold out never learns from labels which models that
learned from this fold have made, and never hears an unlabelled recording of a group that it holds out.
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
from ossicle.core.chunks import ChunkPlan
from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.pseudo_labels.rounds import RoundHead, choose_view, read_head, read_windows, round_digest
from ossicle.corpus.pseudo_labels.settings import PseudoSettings
from ossicle.corpus.pseudo_labels.windows import Labelled, Windows, all_of, labelled_recordings, relabelled, together


@dataclass(frozen=True, slots=True)
class PseudoSource:
    """Where pseudo-labels lie: rounds (the latest first), the artefacts ``dataset`` and ``corpus``, and the index and
    store of the unlabelled recordings. ``group`` is the field that the split does not cut through; ``own_group`` that
    by which unlabelled recordings are kept from a model: a value that one of its held-out recordings has.
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
    """The windows that one model may learn from, the ``(round, its digest, view)`` that they are of, and how many were
    not used, by reason. ``taught``: the labelled recordings that taught whoever made these labels, however long ago.
    """

    windows: Windows
    views: tuple[tuple[str, str, str], ...]
    unused: Mapping[str, int]
    taught: Labelled

    def heard(self) -> set[str]:
        """The unlabelled recordings (ids) of these windows."""
        return set(self.windows.recordings.tolist())


def split_recordings(dataset: DatasetFolder, corpus: CorpusIndex, folds: tuple[int, ...]) -> tuple[Labelled, Labelled]:
    """What a model learns from, and what it holds out, where ``folds`` are held out."""
    digests = {one.id: one.digest for one in corpus.recordings}
    places = [(one.recording_id, one.group, one.fold) for one in dataset.clips]
    # A recording without a clip (reviewed, nothing found, no noise drawn) is held out all the same.
    places += [(row["recording_id"], row["group"], row["fold"]) for row in dataset.folds.iter_rows(named=True)]

    def of(within: bool) -> Labelled:
        found = [(key, group) for key, group, fold in places if (fold in folds) == within]
        return Labelled(
            frozenset(key for key, _ in found),
            frozenset(digests[key] for key, _ in found),
            frozenset(group for _, group in found),
        )

    return of(False), of(True)


def lesson(source: PseudoSource, plan: ChunkPlan, folds: tuple[int, ...], model: str) -> Lesson:
    """What the model that holds out ``folds`` may learn from; ``model`` is its name, for messages.

    Raises SplitError for a round that was made by nobody who may teach it (``corpus.pseudo_rounds.choose_view``),
    UsageError for rounds on another grid or of different labels, FormatError for a damaged one.
    """
    corpus, unlabelled = read_index(source.corpus), read_index(source.unlabelled)
    _, held_out = split_recordings(source.dataset, corpus, folds)
    refusal = _refusals(source, corpus, unlabelled, held_out)
    parts: list[Windows] = []
    views: list[tuple[str, str, str]] = []
    unused: Counter[str] = Counter()
    taught: list[Labelled] = []
    said: set[str] = set()
    for path in source.rounds:
        head = read_head(path)
        _require_grid(head, plan)
        view = choose_view(head, held_out, source.group, model)
        found = read_windows(head, view)
        if parts and found.labels != parts[0].labels:
            raise UsageError(f'{path}: has other labels than {source.rounds[0].name}; use [pseudo] rounds = "latest"')
        reasons = {
            one: "a later round labels its recording again" if one[0] in said else refusal(*one)
            for one in set(zip(found.recordings.tolist(), found.digests.tolist(), strict=True))
        }
        why = [reasons[one] for one in zip(found.recordings.tolist(), found.digests.tolist(), strict=True)]
        unused.update(one for one in why if one)
        parts.append(found.take(np.array([not one for one in why], dtype=np.bool_)))
        said |= {key for (key, _), reason in reasons.items() if not reason}
        views.append((head.name, round_digest(path), view))
        taught.append(head.taught[view])
    return Lesson(together(parts), tuple(views), dict(sorted(unused.items())), all_of(taught))


def _require_grid(head: RoundHead, plan: ChunkPlan) -> None:
    if head.core_frames != plan.core_frames or abs(head.hop_s - plan.hop_s) > 1e-9:
        raise UsageError(
            f"{head.path}: its windows are {head.core_frames} frames of {1000 * head.hop_s:g} ms, and this model reads "
            f"{plan.core_frames} of {1000 * plan.hop_s:g} ms at a time: train with the [chunks] of the models that "
            'made it, or leave it out with [pseudo] rounds = "none" and make one anew'
        )


def _refusals(
    source: PseudoSource, corpus: CorpusIndex, unlabelled: CorpusIndex, held_out: Labelled
) -> Callable[[str, str], str]:
    """Why windows of a recording (id and digest) are not used; empty where they are."""
    known = {one.id: one for one in unlabelled.recordings}
    labelled = {one.digest for one in labelled_recordings(corpus)}
    decoded = set(Store(source.store).ids)
    # By a field of their own, not always that of the split: scenes that are made of a fold's clips bear its number.
    held = [one for one in corpus.recordings if one.id in held_out.ids]
    groups = frozenset(one.fields[source.own_group] for one in held if one.fields.get(source.own_group))
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
    """The windows of a lesson as crops of a training whose labels and plan are given.

    Labels that the round does not know are masked; windows whose highest label is none of the training's are left out.
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
        """The window that takes the place of a crop of a clip with ``label`` ("" for noise), None where none does."""
        if rng.random() >= self.settings.probability:
            return None
        among: NDArray[np.int64] = self._by_label.get(label, self._all[:0]) if self.settings.same_class else self._all
        return int(among[int(rng.integers(len(among)))]) if len(among) else None

    def label(self, window: int) -> str:
        """The highest label of a window."""
        return self.windows.labels[int(self.windows.top[window])]

    def place(self, window: int) -> tuple[str, int]:
        """The recording of a window, and where its chunk's first frame begins, in samples at the plan's rate."""
        first = int(self.windows.start_frames[window]) - self._plan.context_frames
        return str(self.windows.recordings[window]), first * self._plan.hop_samples

    def read(self, window: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Samples (chunk_samples,), soft targets and mask (chunk_frames, n_labels) of a window, all float32.

        The mask is 0, and the target 1, where the round says nothing: in the context, behind the end, and for labels
        that it does not know.
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
    """The pseudo-labelled crops of the model that holds out ``folds``; see :func:`lesson` for errors."""
    found = lesson(source, plan, folds, model)
    return PseudoCrops(found.windows, Store(source.store), labels, plan, source.settings)
