"""The page of ``ossicle dataset health``: gates, labels, distributions, changes and problems of a data set."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import write_text
from ossicle.report import words
from ossicle.report.pages.template import render_page

MOST_ROWS = 300
"""Rows of a table; a table with more says how many are left out."""

_REPEATED = {
    "events": "events with the recording, start and label of another one",
    "event_id": "events with the event_id of an earlier one",
    "sample_id": "events with the sample_id of an earlier one",
    "audio": "recordings with the bytes of another one",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by name with their shares of the largest, in [0, 1], for bars; ``left`` names are not shown."""

    title: str
    unit: str
    rows: Sequence[tuple[str, int, float]]
    left: int = 0


@dataclass(frozen=True, slots=True)
class LabelRow:
    """Counts of one label, its share of the largest label, and its count in the earlier report, if there is one."""

    label: str
    total: int
    part: float
    real: int | None
    synthetic: int | None
    before: int | None
    unknown: bool


def write_health_page(path: Path, title: str, report: Mapping[str, Any]) -> None:
    """Write the page of a report (the values of ``ossicle dataset health --json``) atomically.

    Equal reports give equal bytes.
    """
    write_text(path, render(title, report))


def render(title: str, report: Mapping[str, Any]) -> str:
    """Return the page as text."""
    events = report["events"]
    labels = _labels(events, report["comparison"])
    problems = report.get("problems", ())
    buckets = sorted({bucket for class_buckets in events["dynamics_by_class"].values() for bucket in class_buckets})
    return render_page(
        "health.html",
        f"{title}: health",
        facts=dict(_facts(report)),
        gates=sorted(report["gates"], key=lambda gate: gate["passed"]),
        failed=[gate for gate in report["gates"] if not gate["passed"]],
        labels=labels[:MOST_ROWS],
        labels_left=max(len(labels) - MOST_ROWS, 0),
        synthetic=events["synthetic"] is not None,
        comparison=report["comparison"],
        gone_words=_gate_changes(report["comparison"]),
        repeats=[(_REPEATED[name], repeat) for name, repeat in events["repeats"].items()],
        spreads=list(_spreads(events)),
        tallies=list(_tallies(events)),
        buckets=buckets,
        dynamics=list(events["dynamics_by_class"].items())[:MOST_ROWS],
        problems=problems[:MOST_ROWS],
        problems_left=max(len(problems) - MOST_ROWS, 0),
        reported="problems" in report,
        bad=report.get("bad_lines"),
    )


def _facts(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the key facts in words."""
    events = report["events"]
    yield "events", words.count(events["events"])
    yield "labels", words.count(len(events["classes"]))
    yield "recordings with an event", words.count(events["recordings"])
    if events["hours"]:
        yield "length of all events", words.duration(3600 * events["hours"])
    if (n_synthetic := events["synthetic"]) is not None:
        yield "synthetic", f"{words.count(n_synthetic)} ({words.share(n_synthetic / max(events['events'], 1))})"
    for name, noun in (("sessions", "sessions"), ("drummers", "drummers"), ("kits", "kits")):
        if events[name] is not None:
            yield noun, words.count(events[name])
    if events["negatives"] is not None:
        yield "negative examples", words.count(events["negatives"])
    if events["without_label"]:
        yield "events without a label", words.count(events["without_label"])
    overlap = events["overlap"]
    if overlap["of"]:
        yield "start with another label", f"{words.count(overlap['count'])} ({words.share(overlap['share'])})"
    for total in report["totals"]:
        yield total["what"], f"{words.count(total['found'])} of {words.count(total['expected'])}"


def _labels(events: Mapping[str, Any], comparison: Mapping[str, Any] | None) -> list[LabelRow]:
    """Return the labels, the most frequent first; with an earlier report, those that are gone as well."""
    before = {change["label"]: change["before"] for change in comparison["classes"]} if comparison is not None else {}
    counts = {label: {"total": 0, "real": None, "synthetic": None} for label in before} | events["classes"]
    largest = max([class_counts["total"] for class_counts in counts.values()], default=0) or 1
    rows = [
        LabelRow(
            label,
            class_counts["total"],
            class_counts["total"] / largest,
            class_counts["real"],
            class_counts["synthetic"],
            before.get(label, class_counts["total"]) if comparison is not None else None,
            label in events["unknown_labels"],
        )
        for label, class_counts in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row.total, row.label))


def _gate_changes(comparison: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    named = (("newly_failed", "Failed since"), ("mended", "Passed since"), ("gone", "No limit any more"))
    return [(title, ", ".join(comparison[key])) for key, title in named if comparison is not None and comparison[key]]


def _spreads(events: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any], str]]:
    """Yield what was measured: name, unit, spread, and the share beyond a limit with its words."""
    named = (
        ("loudness", events["loudness_unit"], "loudness", "quiet", "quiet"),
        ("peak", "dBFS", "peaks", "overdriven", "overdriven"),
        ("length", "s", "durations", "outside_durations", "too short or too long"),
    )
    for name, unit, key, beyond, beyond_words in named:
        if events[key] is not None:
            yield name, unit, events[key], events[beyond], beyond_words


def _tallies(events: Mapping[str, Any]) -> Iterator[Tally]:
    named = (
        ("Source", "sources", "events"),
        ("Dynamics", "dynamics", "labels"),
        ("Bleed", "bleed", "events"),
        ("Mix", "mix", "events"),
        ("Technique", "techniques", "events"),
    )
    for title, key, unit in named:
        if events[key]:
            rows = sorted(events[key].items(), key=lambda item: (-item[1], item[0]))
            yield _tally(title, unit, rows)
    if events["openness"]:
        n_bins = len(events["openness"])
        bins = [(f"{bin_ / n_bins:.1f} to {(bin_ + 1) / n_bins:.1f}", n) for bin_, n in enumerate(events["openness"])]
        yield _tally("Openness", "labels", bins)


def _tally(title: str, unit: str, rows: Sequence[tuple[str, int]]) -> Tally:
    largest = max((count for _, count in rows), default=0) or 1
    shown = [(name, count, count / largest) for name, count in rows[:MOST_ROWS]]
    return Tally(title, unit, shown, max(len(rows) - MOST_ROWS, 0))
