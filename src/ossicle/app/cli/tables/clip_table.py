"""The figures of held-out clips on stdout: all clips, then the labels, the worst first; of many only the worst."""

from collections.abc import Mapping
from typing import Any

from ossicle.app.cli.tables.cells import MISSING, interval_cell
from ossicle.app.cli.tables.rows_shown import MOST_ROWS, names_in_words

Row = tuple[str, ...]


def clip_rows(clips: Mapping[str, Any]) -> tuple[Row, list[Row]]:
    """Return the header and the rows of ``clips`` of ``metrics.json``."""
    header = ("clips, out of fold", "F1", "precision", "recall", "clips")
    rows: list[Row] = [
        ("macro, over labels", interval_cell(clips["macro_f1"]), MISSING, interval_cell(clips["macro_recall"]), ""),
        ("weighted by clips", interval_cell(clips["weighted_f1"]), MISSING, interval_cell(clips["accuracy"]), ""),
    ]
    labels = sorted(clips["support"], key=lambda label: (_value(clips["f1"][label]), label))
    for label in labels[:MOST_ROWS]:
        cells = (interval_cell(clips[name][label]) for name in ("f1", "precision", "recall"))
        rows.append((f"label {label}", *cells, str(clips["support"][label])))
    return header, rows


def clip_remarks(clips: Mapping[str, Any]) -> list[str]:
    """Return the lines below the table: accuracy and loss, labels that were never named, and the protocol."""
    part = f"{clips['fraction']:g} of each label (at least {clips['floor']})" if "fraction" in clips else "all"
    n_labels = len(clips["support"])
    omission = f"shown: of {n_labels} labels, the {MOST_ROWS} with the lowest F1; metrics.json lists all"
    lines = [
        *([omission] if n_labels > MOST_ROWS else []),
        f"accuracy {interval_cell(clips['accuracy'])}; loss {interval_cell(clips['loss'])}; {clips['n']} clips "
        f"({part}) of {clips['n_recordings']} recordings in {clips['n_groups']} groups",
        f"{clips['protocol']}; 95 % intervals"
        + ("; few groups: the intervals are not valid for new groups" if clips["few_groups"] else ""),
    ]
    for baseline in clips.get("baselines", {}).values():
        gain = interval_cell(baseline["gain"]["macro_f1"], "+")
        lines.append(
            f"{baseline['name']} on the same clips: accuracy {interval_cell(baseline['accuracy'])}, macro F1 "
            f"{interval_cell(baseline['macro_f1'])}; this model's macro F1 minus it {gain}"
        )
    for remark, labels in (("never the answer where it is right", "never_named"), ("no held-out clip", "absent")):
        lines += [f"{remark}: {names_in_words(clips[labels])}"] if clips[labels] else []
    return lines


def _value(figure: Mapping[str, Any]) -> float:
    return float("inf") if figure["value"] is None else float(figure["value"])
