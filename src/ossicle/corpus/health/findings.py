"""Problems of a corpus, each with its remedy."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.channels import cancel_words
from ossicle.audio.decoding.levels import Levels
from ossicle.audio.recorder.metadata import expansion_words, is_expanded
from ossicle.core.records import Recording
from ossicle.core.text.counting import counted
from ossicle.core.text.rounding import rounded
from ossicle.corpus.formats.columns.verdicts import NO_CALLS
from ossicle.corpus.health.judging_problems import labels_without_negatives
from ossicle.corpus.health.label_problems import label_problems
from ossicle.corpus.health.problem import Problem, Severity
from ossicle.corpus.health.sound_problems import sound_problems
from ossicle.corpus.indexing.annotation_files import SECOND_TABLE
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.examining.recorder_fields import time_expansion

CLIPPED_SHARE = 1e-3
DC_LEVEL = 0.01
# If a third of the gaps are too short to detect, events can no longer be counted by their gaps.
MANY_SHORT_GAPS = 1 / 3

NO_ANNOTATIONS = "no_annotations"
"""The code of the problem that no recording has an annotation."""
_RANK = {"error": 0, "warning": 1, "note": 2}

_REMEDIES: Mapping[str, tuple[Severity, str]] = {
    "not_annotations": ("note", "move it away if it is not meant to be read"),
    "table_not_read": ("warning", "its calls are not used; move it away if it holds no annotations"),
    "empty_file": ("warning", "write its headings if that is meant, remove it if an export failed"),
    "encoding": ("warning", "save it again as UTF-8"),
    "same_table": ("note", "remove one of the two"),
    "perhaps_same": ("warning", "write one name for a recording in all tables"),
    "layers": ("note", "nothing, if both are meant to count"),
    "columns_not_read": ("note", "nothing, unless one says which rows hold or holds the label: then edit the tables"),
    "mixed_labels": ("note", "choose one column with corpus.label_column, if the labels are of different kinds"),
    NO_CALLS: ("note", "nothing, if they are no calls: the class does not call there, as in all other stretches"),
    "review_marks": ("warning", "remove these rows if they are no calls"),
    "times_assumed": ("note", "export it with 'File Offset (s)' if files without calls came before"),
    "divided_selection": ("note", "nothing, if the files follow each other"),
    "crosses_files": ("warning", "add the next file, or the column 'End File': the rest counts as background there"),
    "unmatched_table": ("warning", "name the table after its recording, or add the recording"),
    SECOND_TABLE: ("warning", "put the rows that hold into one table, and remove or rename the other"),
    "unmatched_rows": ("warning", "add the recording, or correct the file name in the table"),
    "annotations_left_out": ("warning", "repair the recording, otherwise its annotations are lost"),
    "beyond_end": ("warning", "check that the table belongs to this recording and counts from its start"),
    "clipped": ("note", "correct the end in the table if it matters"),
    "segment_name": ("warning", "rename it, add a template to corpus.segment_names, or move it away"),
    "segment_values": ("warning", "correct what its name says, or move it away; its call was left out"),
    "segment_variant": ("note", "nothing, if that is intended"),
    "segments_without_clip": ("warning", "add the clip or its tape, otherwise their calls are lost"),
    "clip_by_name": ("note", "add the clip, so that its length can be compared with its name"),
    "clip_shorter": ("warning", "copy it again from its source, unless its tape ended there"),
    "clip_beyond_tape": (
        "warning",
        "check corpus.offset_unit and the tape; the clip was read as a recording of its own",
    ),
    "tape_divided": ("error", 'set split.group = "tape", or a field with one value for each tape'),
    "clips_in_tapes": ("note", "exclude the tapes in corpus.exclude to read the clips as recordings of their own"),
    "manifest_total": ("warning", "copy the manifest again from its source, or correct corpus.manifest_total"),
    "repeated_events": ("warning", "remove the lines that were written twice; health.max_repeated_ids limits them"),
    "several_values": ("warning", "correct the manifest: a recording has one value of each field"),
    "negative_examples": ("note", "nothing, if they are meant as sound without a hit"),
    "without_context": (
        "warning",
        "if they are whole recordings and no hits, leave them out with corpus.exclude; else state their context_ms",
    ),
    "without_components": ("warning", "name the components of these events, or remove their lines"),
    "not_chosen": ("note", "nothing, if corpus.include, corpus.exclude and corpus.most are as intended"),
    "glob_unused": (
        "warning",
        "correct it; globs are matched against paths below corpus.audio or audio_path of a manifest, case counts",
    ),
    "beside_recording": ("note", "nothing, if they are the originals or copies of the recordings beside them"),
    "no_class_folder": ("warning", "move them into the folder of their class, or leave them out with corpus.exclude"),
    "silent_label": ("warning", "check the recorder; remove the file"),
    "odd_state": ("warning", "write on or off, or leave it empty if it is not known"),
    "metadata_suffix": ("note", "nothing, if the files were converted"),
    "metadata_column": ("note", "nothing, if they do not matter; else rename them, or name them in the project"),
    "without_group": ("warning", "add their rows, or leave them out with corpus.exclude"),
    "name_template": ("note", "rename the template's fields or the file, if its fields are needed"),
    "label_not_kept": ("note", "add it to corpus.labels to keep it"),
    "review_unused": ("warning", "restore the recording as it was, or remove it from the round in reviews/"),
    "label_not_found": ("warning", "correct corpus.labels, or add annotations"),
}


LOSSES = frozenset(
    {
        "left_out",
        "partial",
        "annotations_left_out",
        "table_not_read",
        "unmatched_table",
        SECOND_TABLE,
        "unmatched_rows",
        "beyond_end",
        "segment_name",
        "segment_values",
        "segments_without_clip",
        "no_class_folder",
        "silent_label",
        "review_unused",
    }
)
"""Codes of problems that keep recordings or annotations from being used although they were meant to be."""


def find_problems(
    index: CorpusIndex, *, rate: int, group: str, short_gap_shares: Mapping[str, float], hop_s: float | None = None
) -> tuple[Problem, ...]:
    """Return all findings for a model that reads at ``rate`` Hz and a split by ``group``; sorted by severity, code,
    place.

    ``short_gap_shares`` is the share of gaps under 20 ms for each label. ``hop_s``: seconds between the frames of the
    model; None to leave them out.
    """
    problems = [
        *labels_without_negatives(index),
        *sound_problems(index, fmax_hz=rate / 2, hop_s=hop_s),
        *_problems_of_index(index),
        *_from_notes(index),
        *_repeated_files(index, group),
        *_annotations(index, rate),
        *label_problems(index),
        *_low_rates(index, rate),
        *(
            problem
            for recording in index.recordings
            for problem in _recording(recording, index.levels.get(recording.id))
        ),
    ]
    for label, share in short_gap_shares.items():
        if share >= MANY_SHORT_GAPS:
            message = f"{share:.0%} of the gaps between its annotations are under 20 ms"
            remedy = "keep the decision's min_gap_s small, otherwise neighbours are joined"
            problems.append(Problem("note", "short_gaps", label, message, remedy))
    return tuple(
        sorted(problems, key=lambda problem: (_RANK[problem.severity], problem.code, problem.where, problem.message))
    )


def _problems_of_index(index: CorpusIndex) -> Iterator[Problem]:
    for left_out in index.left_out:
        reason, remedy = left_out.parted
        remedy = remedy or "repair the file, copy it again from its source, or remove it"
        yield Problem("warning", "left_out", left_out.path, reason, remedy)
    unreviewed = [
        recording.path
        for recording in index.recordings
        if not recording.reviewed and recording.id not in index.examined
    ]
    if not index.annotations:
        remedy = "set corpus.annotations or corpus.label_field, and check the names of the tables"
        yield Problem("error", NO_ANNOTATIONS, "", "no recording has an annotation", remedy)
    elif unreviewed:
        message = f"{len(unreviewed)} recordings have no table (for example {unreviewed[0]}); no figure includes them"
        remedy = "add tables; an empty table with a header means that there are no calls"
        yield Problem("note", "unreviewed", unreviewed[0], message, remedy)
    partly = [recording for recording in index.recordings if recording.id in index.partly]
    if partly:
        known_s = sum(end - start for recording in partly for start, end in index.partly[recording.id])
        whole_s = sum(recording.duration_s for recording in partly)
        message = (
            f"{len(partly)} recordings, {partly[0].path} among them, were reviewed in part: "
            f"{rounded(known_s / 3600)} of {rounded(whole_s / 3600)} hours; trainings and benchmarks read these "
            "stretches, but no fold holds them out"
        )
        remedy = "to cross-validate on labelled clips of tapes, leave the tapes out: corpus.include or corpus.exclude"
        yield Problem("note", "partly", partly[0].path, message, remedy)


def _from_notes(index: CorpusIndex) -> Iterator[Problem]:
    for note in index.notes:
        if note.kind in _REMEDIES:
            severity, remedy = _REMEDIES[note.kind]
            yield Problem(severity, note.kind, note.where, note.message, remedy)


def _repeated_files(index: CorpusIndex, group: str) -> Iterator[Problem]:
    same: dict[str, list[Recording]] = defaultdict(list)
    for recording in index.recordings:
        if recording.digest:
            same[recording.digest].append(recording)
    for copies in same.values():
        if len(copies) < 2:
            continue
        message = f"is the same file as {', '.join(copy.path for copy in copies[1:])}"
        if len({copy.fields.get(group) or copy.path for copy in copies}) > 1:
            message += f"; they are different groups by {group!r}, so training would see what is tested"
            yield Problem("error", "duplicate_leak", copies[0].path, message, "remove the copies")
        else:
            yield Problem("warning", "duplicate", copies[0].path, message, "remove the copies")


def _annotations(index: CorpusIndex, rate: int) -> Iterator[Problem]:
    notes = index.annotations
    known = {recording.id: recording.path for recording in index.recordings}
    paths = [known[key] for key in notes.recording_ids]
    keys = (notes.recording, notes.start_s, notes.end_s, notes.label)
    order = np.lexsort(keys[::-1])
    repeated = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in keys:
        repeated &= key[order][1:] == key[order][:-1]
    unheard = np.zeros(0, np.int64) if notes.low_hz is None else np.flatnonzero(notes.low_hz >= rate / 2)
    for path, count in _by_path(paths, notes.recording[notes.end_s <= notes.start_s]):
        yield Problem(
            "warning",
            "zero_length",
            path,
            f"{counted(count, 'annotation')} {'has' if count == 1 else 'have'} no length",
            "draw them again",
        )
    for path, count in _by_path(paths, notes.recording[unheard]):
        are_above = f"{counted(count, 'annotation')} {'is' if count == 1 else 'are'} completely above {rate / 2:g} Hz"
        message = f"{are_above}, which a model at {rate} Hz cannot detect"
        yield Problem("warning", "above_band", path, message, "raise the front end's rate")
    for path, count in _by_path(paths, notes.recording[order[1:][repeated]]):
        message = f"{counted(count, 'annotation')} {'repeats' if count == 1 else 'repeat'} another exactly"
        yield Problem("warning", "repeated_annotations", path, message, "remove one of the tables or rows")


def _by_path(paths: Sequence[str], recordings: NDArray[np.int32]) -> Iterator[tuple[str, int]]:
    """Return how often each recording is named, by its path, for those that are."""
    for recording, count in zip(*np.unique(recordings, return_counts=True), strict=True):
        yield paths[int(recording)], int(count)


def _low_rates(index: CorpusIndex, rate: int) -> Iterator[Problem]:
    slow: dict[int, list[str]] = defaultdict(list)
    for recording in index.recordings:
        if recording.rate < rate:
            slow[recording.rate].append(recording.path)
    for rate_hz, paths in slow.items():
        band = f"{rate_hz / 2:g} Hz to the {rate / 2:g} Hz read"
        slow_ones = f"{counted(len(paths), 'recording')} at {rate_hz} Hz"
        message = f"{slow_ones} {'contains' if len(paths) == 1 else 'contain'} nothing from {band}"
        yield Problem("warning", "low_rate", paths[0], message, "lower the front end's rate or fmax_hz")


def _recording(recording: Recording, levels: Levels | None) -> Iterator[Problem]:
    if recording.status == "partial":
        end = f"decoding ends at {recording.duration_s:.3f} s"
        message = recording.reason if recording.reason.startswith(end) else f"{end}: {recording.reason}"
        yield Problem("warning", "partial", recording.path, message, "copy the file again from its source")
    if recording.status == "silent":
        yield Problem(
            "warning", "silent", recording.path, "every sample is zero", "check the recorder; remove the file"
        )
    if is_expanded(times := time_expansion(recording)):
        remedy = (
            "annotate and train in the time of the file, or correct the rate in its header; results are in its time"
        )
        yield Problem("warning", "time_expansion", recording.path, expansion_words(times or 1.0), remedy)
    if levels is not None and levels.cancel_db is not None:
        remedy = (
            'set [audio] channel to "loudest", "first" or the number of a channel; check the wiring of the recorder'
        )
        yield Problem("warning", "channels_cancel", recording.path, cancel_words(levels.cancel_db), remedy)
    if levels is not None and levels.clipped_share > CLIPPED_SHARE:
        message = f"{levels.clipped_share:.2%} of its samples are at full scale"
        yield Problem(
            "warning", "overdriven", recording.path, message, "record with less gain; faint calls may be distorted"
        )
    if levels is not None and abs(levels.dc) > DC_LEVEL:
        message = f"has an offset of {levels.dc:+.3f} of full scale"
        yield Problem(
            "note", "offset", recording.path, message, "filter it out below the front end's fmin_hz, or ignore it"
        )
