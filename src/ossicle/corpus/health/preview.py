"""What a run will use of a corpus, and what it will leave out and why, from the index alone.

The counts and reasons of ``ossicle new`` and ``ossicle check``.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ossicle.core.intervals import union_by_group
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.text.counting import counted
from ossicle.core.text.rounding import rounded
from ossicle.corpus.formats.columns.verdicts import NO_CALLS
from ossicle.corpus.health.findings import LOSSES
from ossicle.corpus.health.problem import Problem
from ossicle.corpus.health.report import LabelHealth
from ossicle.corpus.health.sound_problems import recorded_hz
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.naming.file_listing import shown

Level = Literal["ok", "lost", "warning"]

_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model hears: its front end, the seconds between its frames, and where its sample rate was set."""

    front: FrontEndSettings
    hop_s: float
    rate_from: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of a preview: what it is about, its words, and whether something is lost or doubtful."""

    what: str
    message: str
    level: Level = "ok"


def preview(
    index: CorpusIndex,
    problems: Sequence[Problem],
    labels: Sequence[LabelHealth],
    heard: Heard | None,
    listed: Collection[str],
    reported: Collection[str] = (),
) -> Iterator[Notice]:
    """Yield what a run will use and leave out, and every problem that a user should know before a training.

    Parameters
    ----------
    index
        The corpus.
    problems, labels
        Its problems and the counts of its labels, from the health report.
    heard
        What the model hears; None for a model that reads an encoder's embeddings.
    listed
        Paths of the audio files that the project selects.
    reported
        Paths of left-out recordings that are reported elsewhere.
    """
    yield from recording_notices(index, listed, reported)
    yield from annotation_notices(index, problems)
    yield _labels(labels)
    yield _negatives(index)
    if heard is not None:
        yield _band(index, heard)
    if heard is not None and labels:
        yield _frames(labels, heard)
    for problem in problems:
        if problem.severity != "note" and problem.code not in LOSSES:
            where = f"{problem.where}: " if problem.where else ""
            yield Notice(problem.code.replace("_", " "), f"{where}{problem.message}; {problem.remedy}", "warning")


def recording_notices(
    index: CorpusIndex, listed: Collection[str], reported: Collection[str], *, labels_needed: bool = True
) -> Iterator[Notice]:
    """Yield how many recordings are used and which are left out, with the reasons.

    Parameters
    ----------
    index, listed, reported
        As in :func:`preview`.
    labels_needed
        Whether recordings without annotations serve nothing.
    """
    files = {shown(path) for path in listed}
    left = [left_out for left_out in index.left_out if shown(left_out.path) in files]
    unchecked = sum(not recording.reviewed and recording.id not in index.examined for recording in index.recordings)
    message = f"{len(files)} audio files: {len(files) - len(left)} used, {len(left)} left out"
    if unchecked and labels_needed:
        message += f"; {unchecked} of the used ones have no annotations, so nothing is trained or judged on them"
    yield Notice("used recordings", message, "lost" if left else "ok")
    reasons: dict[str, list[str]] = defaultdict(list)
    texts: dict[str, str] = {}
    for left_out in index.left_out:
        if shown(left_out.path) not in reported:
            # Lines and sizes differ from file to file, the reason does not.
            key = re.sub(r"[0-9]+", "0", left_out.reason)
            texts.setdefault(key, left_out.reason)
            reasons[key].append(shown(left_out.path))
    for key, paths in reasons.items():
        yield Notice("left out", f"{counted(len(paths), 'file')} ({_first_names(paths)}): {texts[key]}", "lost")


def annotation_notices(index: CorpusIndex, problems: Sequence[Problem]) -> Iterator[Notice]:
    """Yield how many annotations are used and which are left out, with the reasons in ``problems``."""
    lost: Counter[str] = Counter()
    places: dict[str, list[str]] = defaultdict(list)
    unwanted = refused = 0
    for note in index.notes:
        if note.kind in LOSSES:
            lost[note.kind] += note.lost
            places[note.kind].append(note.where)
        elif note.kind == NO_CALLS:
            refused += note.lost
        else:
            unwanted += note.lost
    used, missed = len(index.annotations), lost.total()
    message = f"{used + missed + unwanted} found: {used} used, {missed} left out"
    if unwanted:
        message += f", {unwanted} not asked for (corpus.labels, corpus.include, corpus.exclude)"
    if refused:
        message += f"; {counted(refused, 'row')} marked as no call (NEG)"
    yield Notice("used annotations", message, "lost" if missed else "ok")
    by_kind = {problem.code: problem for problem in reversed(problems)}
    for kind, where in places.items():
        count = counted(lost[kind], "annotation") if lost[kind] else counted(len(where), "table")
        if kind == "annotations_left_out":
            yield Notice(
                "left out", f"{count} of {counted(len(where), 'left-out recording')} ({_first_names(where)})", "lost"
            )
            continue
        problem = by_kind.get(kind)
        message = f"{problem.message}; {problem.remedy}" if problem is not None else kind
        yield Notice("left out", f"{count} ({_first_names(where)}): {message}", "lost")


def _labels(labels: Sequence[LabelHealth]) -> Notice:
    if not labels:
        return Notice("labels", "no recording has an annotation, so there is nothing to learn", "lost")
    ordered = sorted(labels, key=lambda label: (-label.annotations, label.label))
    named = [
        f"{label_health.label} ({label_health.annotations} in {counted(label_health.groups, 'group')})"
        for label_health in ordered[:_MOST_NAMED]
    ]
    return Notice("labels", f"{len(labels)}: {', '.join(named)}{_more(len(labels))}")


def _negatives(index: CorpusIndex) -> Notice:
    """Return how much checked sound holds no annotation; that there may be none is a problem with its own line."""
    reviewed = {recording.id: recording.duration_s for recording in index.recordings if recording.reviewed}
    notes = index.annotations
    groups, taken = union_by_group(notes.recording, notes.intervals())
    taken_s = np.bincount(groups, taken[:, 1] - taken[:, 0], minlength=len(notes.recording_ids))
    spans = dict(zip(notes.recording_ids, taken_s.tolist(), strict=True))
    empty_s = sum(length_s for key, length_s in reviewed.items() if key not in spans)
    free_s = empty_s
    for key in reviewed.keys() & spans.keys():
        free_s += max(reviewed[key] - spans[key], 0.0)
    n_empty = sum(key not in spans for key in reviewed)
    return Notice(
        "negatives",
        f"{rounded(free_s / 60)} of {rounded(sum(reviewed.values()) / 60)} min of checked sound hold no annotation; "
        f"{counted(n_empty, 'recording')} without any",
    )


def _band(index: CorpusIndex, heard: Heard) -> Notice:
    rates, front = Counter(recording.rate for recording in index.recordings), heard.front
    recorded = ", ".join(f"{rate} Hz ({count})" for rate, count in sorted(rates.items())[:_MOST_NAMED])
    return Notice(
        "band",
        f"reads {front.fmin_hz:g} to {front.fmax_hz:g} Hz at {front.rate} Hz (from {heard.rate_from}); recorded: "
        f"{recorded}{_more(len(rates))}, up to {recorded_hz(index):g} Hz of sound",
    )


def _frames(labels: Sequence[LabelHealth], heard: Heard) -> Notice:
    shortest = min(labels, key=lambda label: label.median_s or 0.0)
    return Notice(
        "frames",
        f"{rounded(1000 * heard.hop_s)} ms; the shortest label is {shortest.label}: half of its annotations last at "
        f"most {1000 * (shortest.median_s or 0.0):.0f} ms",
    )


def _more(number: int) -> str:
    return f" and {number - _MOST_NAMED} more" if number > _MOST_NAMED else ""


def _first_names(names: Sequence[str]) -> str:
    return shown(names[0]) if len(names) == 1 else f"first: {shown(names[0])}"
