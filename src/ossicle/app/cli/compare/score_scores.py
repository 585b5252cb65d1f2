"""``ossicle score --scores``: compare scores, before any decision, with annotations."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ossicle.app.api.evaluation.evaluation_notes import folder_note
from ossicle.app.cli.compare.annotation_notes import exit_if_incomplete, print_notes
from ossicle.app.cli.compare.score_files import ScoreSet, read_score_set
from ossicle.app.cli.printable import json_text, printable
from ossicle.app.cli.tables.cells import figure_cell
from ossicle.app.cli.tables.rows_shown import lowest_shown, names_in_words
from ossicle.app.cli.tables.table import print_rows
from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import UsageError
from ossicle.core.intervals import Intervals, as_intervals
from ossicle.corpus.formats.dcase import read_durations
from ossicle.corpus.formats.reading.audio_lookup import lengths_from
from ossicle.corpus.formats.reading.event_folders import EventSets, read_event_folder
from ossicle.corpus.formats.reading.shared_names import pair_names, paired_by_name
from ossicle.corpus.formats.registry import ReadOptions
from ossicle.corpus.naming.name_template import stem_of
from ossicle.metrics.frames import FrameScores
from ossicle.metrics.psds.score import psds
from ossicle.metrics.psds.settings import PRESETS
from ossicle.metrics.reports.frame_report import FrameTally


def score_scores(reference: Path, scores: Path, durations: Path | None, label_column: str, *, as_json: bool) -> None:
    """Print PSDS, ranking and calibration of the score files below ``scores``."""
    score_set = read_score_set(scores)
    lengths = score_set.durations_s if durations is None else read_lengths(durations)
    read = read_event_folder(reference, ReadOptions(label_column, lengths=lengths_from(lengths)))
    print_notes(read.notes)
    sets = (read.sets, _names(score_set.tracks), _names(lengths))
    print_notes(folder_note(paired_by_name(*sets[:2])))
    references, scored, measured = pair_names(*sets)
    tracks = dict(zip(scored, score_set.tracks.values(), strict=True))
    durations_s = lengths_of(references, dict(zip(measured, lengths.values(), strict=True)), durations)
    unknown = sorted(tracks.keys() - references.keys())
    if not references:
        raise UsageError(f"{reference}: names no annotated recording, so nothing can be compared")
    if not tracks.keys() & references.keys():
        raise UsageError(
            f"{scores} and {reference} have no recording name in common "
            f"(for example {sorted(tracks)[0]!r} and {sorted(references)[0]!r}); one recording needs the same file "
            "name on both sides, and folders where several share a name"
        )
    if not any(durations_s.values()):
        raise UsageError(f"{scores}: no score table holds a frame; give --durations, the lengths of the recordings")
    annotated = {row.label for rows in references.values() for row in rows}
    unscored = sorted(annotated - set(score_set.labels))
    if annotated and not annotated & set(score_set.labels):
        raise UsageError(
            f"{scores} and {reference} have no label in common (for example {min(score_set.labels)!r} and "
            f"{min(annotated)!r}); rename the columns of the scores, or the labels of the reference"
        )
    for remark, names in (("no reference", unknown), ("labels without scores", unscored)):
        if names:
            print(printable(f"skipped, {remark}: {names_in_words(names)}"), file=sys.stderr)
    report = figures(references, tracks, durations_s, score_set)
    report |= {"durations_from": "scores" if durations is None else "table"}
    report |= {"left_out": unknown, "labels_left_out": unscored}
    if as_json:
        print(json_text(report))
    else:
        _print(report)
    exit_if_incomplete(read.notes)


def read_lengths(path: Path) -> dict[str, float]:
    """Return the durations in seconds by recording name, without audio suffix, of a table ``filename duration``."""
    return {stem_of(normal_path(file), SUFFIXES): seconds for file, seconds in read_durations(path).items()}


def lengths_of(references: EventSets, lengths_s: Mapping[str, float], table: Path | None) -> dict[str, float]:
    """Return the duration in seconds of every recording with a reference.

    Without a table they are 0. Raises UsageError if the table lacks a recording.
    """
    missing = sorted(references.keys() - lengths_s.keys())
    if table is not None and missing:
        raise UsageError(f"{table}: no duration for {', '.join(missing)}; add a line for each")
    return {key: lengths_s.get(key, 0.0) for key in references}


def figures(
    references: EventSets, tracks: Mapping[str, FrameScores], durations_s: Mapping[str, float], scores: ScoreSet
) -> dict[str, Any]:
    """Return PSDS under each preset, and the figures of frames; every recording with a reference must have scores."""
    times = {key: _times(references, key, scores.labels) for key in references}
    tally = FrameTally(scores.labels)

    def each() -> Iterator[tuple[str, FrameScores]]:
        for key in sorted(references.keys() & tracks.keys()):
            tally.add(tracks[key], times[key])
            yield key, tracks[key]

    results = psds(each(), times, durations_s, scores.labels, tuple(PRESETS.values()))
    report = tally.report()
    return {
        "psds": {
            name: result.without(report.everywhere).to_json() for name, result in zip(PRESETS, results, strict=True)
        },
        "frames": report.to_json(),
        "n_recordings": len(references),
        "duration_s": round(sum(durations_s.values()), 6),
    }


def _names(mapping: Mapping[str, Any]) -> EventSets:
    return {name: [] for name in mapping}


def _times(references: EventSets, key: str, labels: tuple[str, ...]) -> dict[str, Intervals]:
    times: dict[str, list[tuple[float, float]]] = {label: [] for label in labels}
    for row in references[key]:
        if row.label in times:
            times[row.label].append((row.start_s, row.end_s))
    return {label: as_intervals(label_times) for label, label_times in times.items()}


def _print(report: Mapping[str, Any]) -> None:
    scenarios = [report["psds"][name] for name in PRESETS]
    frames = report["frames"]
    keys = ("average_precision", "roc_auc", "ece", "brier")
    rows = [
        (
            "all",
            *(figure_cell(scenario["value"]) for scenario in scenarios),
            *(figure_cell(frames[key]) for key in keys),
        )
    ]
    average_precision = {label: figures["average_precision"] for label, figures in frames["per_label"].items()}
    labels, remark = lowest_shown(average_precision, "with the lowest AP", "--json lists all")
    for label in labels:
        figures = frames["per_label"][label]
        rows.append(
            (
                label,
                *(figure_cell(scenario["per_label"][label]) for scenario in scenarios),
                *(figure_cell(figures[key]) for key in keys),
            )
        )
    print_rows(("scores", "PSDS 1", "PSDS 2", "AP", "ROC AUC", "ECE", "Brier"), rows)
    if remark:
        print(printable(remark))
    if not frames["reliability"]:
        print("no calibration figures: some scores are outside 0 to 1, so they are not probabilities")
        return
    bins = [
        (
            f"{score_bin['above']:g} to {score_bin['up_to']:g}",
            f"{score_bin['seconds']:.1f}",
            figure_cell(score_bin["mean_score"]),
            figure_cell(score_bin["share_positive"]),
        )
        for score_bin in frames["reliability"]
    ]
    print_rows(("score", "seconds", "mean score", "share positive"), bins)
