"""What ``ossicle dataset health`` prints: the report of a project, the figures of a manifest, and the gates."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ossicle.app.cli.printable import printable
from ossicle.app.cli.tables.cells import MISSING
from ossicle.app.cli.tables.rows_shown import MOST_ROWS, lowest_shown, names_in_words
from ossicle.app.cli.tables.table import print_rows
from ossicle.core.text.counting import counted

_KINDS = (
    ("sources", "sources"),
    ("dynamics", "dynamics"),
    ("techniques", "techniques"),
    ("bleed", "bleed"),
    ("mix", "mix"),
)
_SPREADS = (("loudness", "loudness"), ("peak", "peaks"), ("length", "durations"))
_EVERYWHERE = "--json lists all"
# A manifest of thousands of recordings has as many problems of one kind.
_MOST_ALIKE = 5


def show_report(report: Mapping[str, Any]) -> None:
    """Print the counts and problems of a project."""
    print(
        printable(
            f"{counted(report['recordings'], 'recording')}, {report['hours']:.2f} h, "
            f"{counted(report['groups'], 'group')}, {counted(report['annotations'], 'annotation')}, "
            f"{counted(len(report['left_out']), 'file')} skipped"
        )
    )
    counts = {label_row["label"]: label_row["annotations"] for label_row in report["by_label"]}
    labels, remark = lowest_shown(counts, "with the fewest annotations", _EVERYWHERE)
    rows = [
        (
            label_row["label"],
            str(label_row["annotations"]),
            str(label_row["groups"]),
            _seconds(label_row["min_s"]),
            _seconds(label_row["median_s"]),
            _seconds(label_row["max_s"]),
            MISSING if label_row["short_gap_share"] is None else f"{100 * label_row['short_gap_share']:.0f} %",
        )
        for label_row in report["by_label"]
        if label_row["label"] in labels
    ]
    if rows:
        print_rows(("label", "annotations", "groups", "shortest", "median", "longest", "gaps < 20 ms"), rows)
    _say(remark)
    of_manifest = bool(report["events"]["sources"])
    problems = _problem_rows(report["problems"], _MOST_ALIKE if of_manifest else MOST_ROWS)
    if problems:
        print_rows(("severity", "where", "problem, and what to do"), problems)
    else:
        print("no problems found")
    if of_manifest:
        _show_kinds(report["events"])


def _problem_rows(problems: Sequence[Mapping[str, Any]], most: int) -> list[tuple[str, str, str]]:
    """Return the problems as rows; of those with one code only the first ``most``."""
    alike = Counter(problem["code"] for problem in problems)
    shown: Counter[str] = Counter()
    rows = []
    for problem in problems:
        shown[problem["code"]] += 1
        if shown[problem["code"]] <= most:
            rows.append((problem["severity"], problem["where"], f"{problem['message']}; {problem['remedy']}"))
        elif shown[problem["code"]] == alike[problem["code"]]:
            more = counted(alike[problem["code"]] - most, "more problem")
            rows.append((problem["severity"], "", f"{more} of this kind; --json lists them"))
    return rows


def show_manifest(report: Mapping[str, Any]) -> None:
    """Print the figures of a manifest."""
    events = report["events"]
    counts = [
        f"{counted(events['events'], 'event')} of {counted(events['recordings'], 'recording')}",
        f"{events['hours']:.2f} h",
        *(counted(events[name], name[:-1]) for name in ("sessions", "drummers", "kits") if events[name] is not None),
        counted(events["negatives"] or 0, "negative example"),
        f"{counted(events['without_label'], 'event')} without a label",
        counted(report["bad_lines"]["count"], "bad line"),
    ]
    print(printable(f"{report['manifest']}: {', '.join(counts)}"))
    for bad_line in report["bad_lines"]["first"]:
        print(printable(f"  line {bad_line['line']}: {bad_line['reason']}"))
    unknown, classes = frozenset(events["unknown_labels"]), events["classes"]
    labels, remark = lowest_shown(
        {label: class_counts["total"] for label, class_counts in classes.items()}, "with the fewest events", _EVERYWHERE
    )
    rows = [
        (
            label,
            str(classes[label]["total"]),
            str(classes[label]["real"]),
            str(classes[label]["synthetic"]),
            "unknown" if label in unknown else "",
        )
        for label in classes
        if label in labels
    ]
    print_rows(("label", "events", "real", "synthetic", ""), rows)
    _say(remark)
    _show_kinds(events)
    print(printable(f"limits: {report['limits']}"))


def _show_kinds(events: Mapping[str, Any]) -> None:
    """Print how the events are distributed, and their levels and lengths."""
    kinds = [
        (title, names_in_words([f"{name} {count}" for name, count in events[key].items()]))
        for title, key in _KINDS
        if events[key]
    ]
    if events["openness"]:
        kinds.append(("openness, 0 to 1", ", ".join(map(str, events["openness"]))))
    units = {"loudness": events["loudness_unit"], "peaks": "dBFS", "durations": "s"}
    kinds += [(f"{name}, {units[key]}", _spread(events[key])) for name, key in _SPREADS if events[key] is not None]
    print_rows(("figure", ""), kinds)


def _spread(summary: Mapping[str, float]) -> str:
    return f"{summary['n']} from {summary['lowest']:g} to {summary['highest']:g}, median {summary['median']:g}"


def show_gates(report: Mapping[str, Any]) -> None:
    """Print the totals, the changes since an earlier report, and the gates."""
    for total in report["totals"]:
        print(printable(f"{total['found']} of {total['expected']} {total['what']}"))
    if (changes := report["comparison"]) is not None:
        steps = {change["label"]: change["now"] - change["before"] for change in changes["classes"]}
        labels, remark = lowest_shown(steps, "that lost most events", _EVERYWHERE)
        rows = [
            (change["label"], str(change["before"]), str(change["now"]))
            for change in changes["classes"]
            if change["label"] in labels
        ]
        if rows:
            print_rows(("label", "events before", "events now"), rows)
            _say(remark)
        else:
            print("no label has another number of events than in the earlier report")
        for key, outcome in (
            ("newly_failed", "failed since"),
            ("mended", "passed since"),
            ("gone", "no limit any more"),
        ):
            if changes[key]:
                print(printable(f"gates, {outcome}: {', '.join(changes[key])}"))
    if report["gates"]:
        rows = [("passed" if gate["passed"] else "FAILED", gate["name"], gate["detail"]) for gate in report["gates"]]
        print_rows(("gate", "", "compared"), rows)


def _say(remark: str) -> None:
    if remark:
        print(printable(remark))


def _seconds(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3f} s"
