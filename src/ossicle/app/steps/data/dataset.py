"""Step ``dataset``: make folds, an audit and clips from an index."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.bundle.manifest import label_fault
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.columns.clip_columns import ClipColumns
from ossicle.core.columns.simultaneous import onset_groups
from ossicle.core.errors import SplitError, UsageError
from ossicle.core.records import Annotation, Recording
from ossicle.core.settings import digestible
from ossicle.corpus.clips.clip_counts import dataset_stats
from ossicle.corpus.clips.clip_table import DatasetClips, build_dataset
from ossicle.corpus.clips.hard_negatives import FOLDER, MinedClips, mined_clips, mined_files, read_mined
from ossicle.corpus.clips.holdout_split import divide_clips, place_recordings
from ossicle.corpus.clips.settings import DatasetSettings, possible_targets
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.splits.folds import FoldEntry, SplitSettings, rare_labels
from ossicle.corpus.splits.published_folds import fold_values
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT

STEP_VERSION = 5
_NOISE_S = 1.0


def run(context: Context) -> None:
    """Write clips, targets with their labels, folds, counts and the description of the split.

    ``folds`` lists the recordings that are evaluated as a whole. A leaky strategy that divides single clips leaves
    none. A split that divides groups once leaves those of val and test. Recordings of which a review examined only
    stretches are used for training and never evaluated; these stretches are written as ``known``, and labels that a
    recording may or may not contain as ``unknown``.
    """
    from ossicle.corpus.splits.leak_audit import audit, require_no_leak

    settings = context.project.settings
    split = settings.split
    index = read_index(context.read(CorpusFolder))
    recordings, annotations = list(index.recordings), index.annotations
    _require_annotated(index, context.project)
    # Folds depend only on the annotation files, so a recording stays in its fold from review to review.
    stated = index.annotations if index.stated is None else index.stated
    # Shares count targets only: annotations of too low quality are left out.
    possible = possible_targets(stated, settings.dataset)
    placed = place_recordings(recordings, stated, possible, index.partly, split)
    judged, folds = placed.judged, placed.folds
    built = build_dataset(
        recordings, annotations, folds, settings.dataset, split.seed, _NOISE_S, index.partly, index.unknown
    )
    built = divide_clips(built, split)
    sure = [recording for recording in recordings if recording.id not in index.unknown]
    mined = _mined(context, sure, annotations, folds)
    clips, quality = _with_mined(built, mined)
    leak_audit = audit(folds, recordings, annotations, clips, group=split.group, by_clip=split.kind.divides_clips)
    if split.kind.judges_recordings or leak_audit.strangers:
        require_no_leak(leak_audit)
    targets = _ended_with_recordings(annotations.where(built.targets), recordings)
    labels = _bundled_labels(targets)
    output = context.own(DatasetFolder)
    output.write_clips(clips)
    output.write_targets(targets)
    if index.partly:
        output.write_known(index.partly)
    unknown = {
        key: [label for label in recording_labels if label in labels]
        for key, recording_labels in index.unknown.items()
        if key in folds
    }
    if any(unknown.values()):
        output.write_unknown(unknown)
    output.write_folds(_judged_rows(recordings, judged))
    output.write_stats([asdict(row) for row in dataset_stats(clips, quality)])
    output.write_split(
        {
            **leak_audit.as_json(),
            "strategy": split.strategy,
            "leaky": split.kind.leak_in_words(leak_audit.groups_cut, len(np.unique(clips.group)), split.group),
            "names": _fold_names(np.unique(clips.fold).tolist(), split, recordings, judged),
            "models": split.kind.models(entry.fold for entry in judged.values()),
            **_evaluated(split, judged),
            "folds_asked": split.folds,
            **_merged(targets, settings.dataset),
            "rare": _rare(split, judged, targets),
            "mining": [asdict(row) for row in built.mining],
            "tapes": [asdict(row) for row in built.tapes],
            "unplaced": [asdict(unplaced) for unplaced in built.unplaced],
            "unused": [asdict(unused) for unused in built.unused],
            **(
                {"mined": {"clips": len(mined.clips), "unused": dict(mined.unused)}} if _rounds(context.project) else {}
            ),
        },
    )


def _require_annotated(index: CorpusIndex, project: Project) -> None:
    """Raise SplitError unless a recording was annotated as a whole."""
    if any(recording.reviewed for recording in index.recordings):
        return
    if index.partly:
        raise SplitError(
            "all annotated recordings were reviewed only in part, so no model can be evaluated: use the labelled "
            'clips of the tapes instead, with [corpus] include = ["..."], or annotate some recordings completely'
        )
    raise SplitError(
        "no recording has annotations, so no model can be trained: set their folder in [corpus] annotations of "
        f"{project.file}"
    )


def _ended_with_recordings(targets: AnnotationColumns, recordings: Sequence[Recording]) -> AnnotationColumns:
    """Return the targets, each of which ends with its recording at the latest."""
    ends = {recording.id: recording.duration_s for recording in recordings}
    last_s = np.array([ends[key] for key in targets.recording_ids], dtype=np.float64)[targets.recording]
    return replace(targets, end_s=np.minimum(targets.end_s, last_s))


def _bundled_labels(targets: AnnotationColumns) -> tuple[str, ...]:
    """Return the labels of the targets; raises UsageError for one that no bundle can contain."""
    labels = tuple(targets.label_counts())
    for label in labels:
        if fault := label_fault(label):
            raise UsageError(fault)
    return labels


def _judged_rows(recordings: Sequence[Recording], judged: Mapping[str, FoldEntry]) -> list[dict[str, Any]]:
    """Return the group and fold of each recording that is evaluated."""
    # Only recordings annotated as a whole can be evaluated: elsewhere an unannotated event may be correct.
    whole = {recording.id for recording in recordings if recording.reviewed}
    return [
        {"recording_id": key, "group": entry.group, "fold": entry.fold}
        for key, entry in judged.items()
        if key in whole and entry.fold != NEVER_HELD_OUT
    ]


def _rare(split: SplitSettings, judged: Mapping[str, FoldEntry], targets: AnnotationColumns) -> dict[str, Any]:
    """Return the labels with too few groups for the folds, and what follows from them."""
    labels = () if split.kind.holds_out_once else rare_labels(judged, targets)
    return {
        "rule": split.rare,
        "labels": [asdict(label) for label in labels],
        "never_held_out": sum(entry.fold == NEVER_HELD_OUT for entry in judged.values()),
    }


def _fold_names(
    folds: list[int], split: SplitSettings, recordings: list[Recording], judged: Mapping[str, FoldEntry]
) -> dict[str, str]:
    """Return the name of each fold; a published fold keeps its published name."""
    names = {str(fold): split.kind.fold_name(fold) for fold in folds}
    if split.fold_field:
        values = fold_values([recording for recording in recordings if recording.id in judged], split.fold_field)
        names |= {str(fold): f"{split.fold_field} {value}" for fold, value in enumerate(values)}
    return names


def _merged(targets: AnnotationColumns, settings: DatasetSettings) -> dict[str, Any]:
    """Return how simultaneous hits are merged in training, and how many targets they become; empty without merging."""
    if settings.merge_s == 0:
        return {}
    groups = onset_groups(targets, settings.merge_s)
    return {
        "merged": {
            "merge_s": settings.merge_s,
            "before_s": settings.before_s if settings.has_window else 0.0,
            "hits": len(targets),
            "targets": len(np.unique(groups)),
        }
    }


def _evaluated(split: SplitSettings, judged: Mapping[str, FoldEntry]) -> dict[str, list[int]]:
    """Return the folds that give the figures, if not all held-out folds do."""
    held = sorted({entry.fold for entry in judged.values()} - {NEVER_HELD_OUT})
    evaluated = split.kind.evaluated_folds(held)
    return {} if evaluated == held else {"evaluated": evaluated}


def _rounds(project: Project) -> list[Path]:
    """Return the rounds of hard negatives that this dataset uses; `ossicle dataset mine` saved them."""
    return mined_files(project.folder / FOLDER) if project.settings.dataset.mined else []


def _with_mined(built: DatasetClips, mined: MinedClips) -> tuple[ClipColumns, NDArray[np.float64]]:
    """Return all clips, sorted by recording, times, label and role, and the quality of each target's annotation."""
    if not mined.clips:
        return built.clips, built.quality
    clips = ClipColumns.joined([built.clips, ClipColumns.from_clips(mined.clips)])
    recording = clips.groups.ranks[clips.recording]
    order = np.lexsort((clips.role, clips.label, clips.end_s, clips.start_s, recording))
    clips = clips.take(order)
    quality = np.full(len(clips), np.nan)
    # False alarms are noise, so the targets keep their order.
    quality[clips.has_role("target")] = built.quality[built.clips.has_role("target")]
    return clips, quality


def _mined(
    context: Context, recordings: list[Recording], annotations: Sequence[Annotation], folds: Mapping[str, FoldEntry]
) -> MinedClips:
    settings = context.project.settings
    alarms = [false_alarm for file in _rounds(context.project) for false_alarm in read_mined(file)]
    if settings.split.kind.divides_clips and alarms:
        return MinedClips(
            (), {f"{settings.split.strategy} divides clips, and false alarms are no clips of it": len(alarms)}
        )
    margin_s, weight = settings.dataset.margin_s, settings.dataset.mined_weight
    return mined_clips(alarms, recordings, annotations, folds, margin_s, weight)


STEP = Step(
    name=DatasetFolder.step,
    version=STEP_VERSION,
    needs=("corpus",),
    settings=lambda project: {
        "split": digestible(project.settings.split),
        "dataset": digestible(project.settings.dataset),
    },
    run=run,
    extra=lambda project: {file.name: file_digest(file) for file in _rounds(project)},
)
