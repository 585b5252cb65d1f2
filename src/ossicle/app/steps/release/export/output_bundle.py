"""The output of an export: a bundle with further graphs, ``export.json``, and ``EXPORT.md`` with its table."""

import json
import math
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ossicle.app.steps.release.export.graphs import stored_precision
from ossicle.app.steps.release.export.held_out import REFERENCE
from ossicle.app.steps.release.export.request import ExportRequest, Row
from ossicle.app.steps.release.export.run import FOLDS, MODEL, Exported
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_regular
from ossicle.bundle.card import escaped
from ossicle.bundle.extend import extend_bundle
from ossicle.bundle.manifest import Bundle
from ossicle.bundle.runtimes.graph import graph_file
from ossicle.core.errors import GateRefused, OssicleError
from ossicle.core.text.rounding import rounded
from ossicle.export.settings import ExportSettings

REPORT, PAGE = "export.json", "EXPORT.md"
_LIBRARIES = ("ossicle", "torch", "onnxruntime", "openvino", "onnx", "numpy")
_DIGITS = 6


def require_allowed(exported: Exported, settings: ExportSettings) -> None:
    """Check that int8 loses no more of the macro ROC AUC than the settings allow.

    Raises
    ------
    GateRefused
        int8 loses more; the message says how much.
    OssicleError
        The loss cannot be measured.
    """
    reasons = []
    for row in _rows(exported):
        if row.precision != "int8" or row.name not in exported.judged:
            continue
        change = _change(exported, row, "macro_auc")
        if change is None:
            raise OssicleError(
                "the loss of int8 cannot be measured: every label is in all held-out sound or in none; leave int8 out"
            )
        if change < -settings.int8_auc_drop:
            before, after = exported.judged[REFERENCE].macro_auc, exported.judged[row.name].macro_auc
            reasons.append(f"in {row.runtime} the macro ROC AUC falls from {before:.4f} to {after:.4f}")
    if reasons:
        raise GateRefused(
            f"int8 loses more than [export] int8_auc_drop = {settings.int8_auc_drop:g} allows: {'; '.join(reasons)}; "
            "nothing was written. Leave int8 out of --precision, or calibrate on more sound "
            "(--set export.calibration_chunks=256)"
        )


def report(exported: Exported, request: ExportRequest, settings: ExportSettings) -> dict[str, Any]:
    """Return the content of ``export.json``.

    Parameters
    ----------
    exported
        What the export made.
    request
        The options of the export.
    settings
        The table ``[export]``.

    Returns
    -------
    dict[str, Any]
        Plain values; undefined figures are None.
    """
    reference = exported.judged.get(REFERENCE)
    return {
        "bundle": exported.bundle.name,
        "machine": {"processor": processor(), "system": platform.platform(), "python": platform.python_version()},
        "versions": {name: version for name in _LIBRARIES if (version := _version(name)) is not None},
        "threads": request.threads,
        "held_out_hours": round(exported.hours, _DIGITS),
        "out_of_fold": {
            "macro_auc": _plain_figure(reference.macro_auc) if reference else None,
            "accuracy": _plain_figure(reference.accuracy) if reference else None,
        },
        "int8_auc_drop": settings.int8_auc_drop,
        "calibration_chunks": settings.calibration_chunks,
        "budget": None
        if request.budget is None
        else {"minutes": request.budget.minutes, "audio_hours": request.budget.audio_hours},
        "rows": [_row(exported, request, kind, row) for kind, row in exported.agreements],
        "unmeasured": [row.name for row in request.unmeasured],
    }


def _row(exported: Exported, request: ExportRequest, kind: str, row: Row) -> dict[str, Any]:
    waveform = kind.endswith("waveform")
    file = graph_file(kind, row.precision if waveform else stored_precision(row))
    agreement, judged, speed = (
        exported.agreements[kind, row],
        exported.judged.get(row.name),
        exported.speeds.get((kind, row)),
    )
    # The losses of the single fold models say nothing about the loss of their mean.
    held_out = judged if kind in (MODEL, "waveform") else None
    within = None if speed is None or request.budget is None else request.budget.allows(speed)
    return {
        "graph": kind,
        "precision": row.precision,
        "runtime": row.runtime,
        "file": file,
        "bytes": len(exported.graphs[file]),
        "max_difference": agreement.max_difference,
        "same_top": _plain_figure(agreement.same_top),
        "same_top_outside_margin": _plain_figure(agreement.same_top_outside),
        "out_of_fold": None
        if held_out is None
        else {
            "frames": held_out.agreement.n_frames,
            "max_difference": held_out.agreement.max_difference,
            "same_top": _plain_figure(held_out.agreement.same_top),
            "same_top_outside_margin": _plain_figure(held_out.agreement.same_top_outside),
            "macro_auc": _plain_figure(held_out.macro_auc),
            "macro_auc_change": _change(exported, row, "macro_auc"),
            "accuracy": _plain_figure(held_out.accuracy),
            "accuracy_change": _change(exported, row, "accuracy"),
        },
        "speed": None
        if speed is None
        else {
            "audio_s": round(speed.audio_s, 3),
            "seconds": round(speed.seconds, 6),
            "start_s": round(speed.start_s, 4),
            "frames_per_s": round(speed.frames_per_s, 2),
            "times_real_time": round(speed.real_time, 2),
            "budget_minutes": None
            if request.budget is None
            else round(speed.minutes_for(request.budget.audio_hours), 3),
            "within_budget": within,
        },
    }


def table(export_report: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows of the table of a report."""
    header = ["graph", "precision", "runtime", "MB", "largest difference", "same top", "AUC change", "accuracy change"]
    header += ["frames/s", "x real time"]
    budget = export_report["budget"]
    if budget:
        header += [f"min for {budget['audio_hours']:g} h", f"in {budget['minutes']:g} min"]
    rows = []
    for row in export_report["rows"]:
        judged, speed = row["out_of_fold"] or {}, row["speed"] or {}
        cells = [row["graph"], row["precision"], row["runtime"], f"{row['bytes'] / 1e6:.2f}"]
        cells += [f"{row['max_difference']:.1e}", _share(row["same_top"])]
        cells += [_signed(judged.get("macro_auc_change")), _signed(judged.get("accuracy_change"))]
        cells += [_number(speed.get("frames_per_s")), _number(speed.get("times_real_time"))]
        if budget:
            cells += [
                _number(speed.get("budget_minutes")),
                _yes(speed.get("within_budget")),
            ]
        rows.append(tuple(cells))
    return tuple(header), rows


def page(export_report: Mapping[str, Any]) -> str:
    """Return ``EXPORT.md``: the table and an explanation."""
    header, rows = table(export_report)
    lines = [
        f"# Exports of {escaped(export_report['bundle'])}",
        "",
        f"{escaped(export_report['machine']['processor'])}, {export_report['threads']} thread(s), "
        + ", ".join(f"{name} {number}" for name, number in export_report["versions"].items())
        + ". Speeds are end to end: decoding, spectrogram, network.",
        "",
        "| " + " | ".join(header) + " |",
        "|" + "---|" * len(header),
        *("| " + " | ".join(escaped(cell) for cell in row) + " |" for row in rows),
        "",
        _judged_in_words(export_report),
        "Differences are of scores in [0, 1] against torch in float32, on chunks of the training recordings.",
        *unmeasured_in_words(export_report),
    ]
    return "\n".join(lines) + "\n"


def unmeasured_in_words(export_report: Mapping[str, Any]) -> list[str]:
    """Return a line about the rows that this processor could not compute; nothing if there are none.

    Parameters
    ----------
    export_report
        The content of ``export.json``.
    """
    names = ", ".join(export_report["unmeasured"])
    reason = "this processor does not compute in bfloat16; export on one that does to measure it"
    return [f"Not measured: {names}, because {reason}."] if names else []


def _judged_in_words(export_report: Mapping[str, Any]) -> str:
    if not export_report["held_out_hours"]:
        return "Nothing was judged out of fold: this split leaves nothing to judge by."
    base = export_report["out_of_fold"]
    named = (("macro ROC AUC", base["macro_auc"]), ("accuracy", base["accuracy"]))
    figures = [f"{name} {value:.4f}" for name, value in named if value is not None]
    return (
        f"Changes are out of fold, on {rounded(export_report['held_out_hours'])} h that the models of the folds had "
        f"held out; in torch they have {', '.join(figures) or 'no figure (every label is in all sound or in none)'}."
    )


def _yes(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "no"


def write_export(
    exported: Exported, export_report: Mapping[str, Any], folder: Path, *, replace: bool = False
) -> Bundle:
    """Write the folder of an export: the bundle with the further graphs, the report and its page.

    Parameters
    ----------
    exported
        What the export made.
    export_report
        The report, as :func:`report` returns it.
    folder
        The folder to write.
    replace
        Whether to overwrite an existing folder.
    """
    listed: dict[str, dict[str, Any]] = {}
    for row in export_report["rows"]:
        judged = row["out_of_fold"] or {}
        listed.setdefault(row["file"], {})[f"{row['precision']} in {row['runtime']}"] = {
            "max_difference": row["max_difference"],
            "same_top": row["same_top"],
            "macro_auc_change": judged.get("macro_auc_change"),
            "accuracy_change": judged.get("accuracy_change"),
        }
    files = {
        **{name: data for name, data in exported.graphs.items() if name not in exported.bundle.files},
        REPORT: (json.dumps(export_report, indent=2, ensure_ascii=False) + "\n").encode(),
        PAGE: page(export_report).encode(),
    }
    return extend_bundle(exported.bundle, folder, files, {"exports": listed}, replace=replace)


def verdicts(export_report: Mapping[str, Any]) -> list[str]:
    """Return whether each measured row meets the budget, one line a row."""
    budget = export_report["budget"]
    if not budget:
        return []
    lines = []
    for row in export_report["rows"]:
        speed = row["speed"]
        if speed is not None:
            answer = "yes" if speed["within_budget"] else "no"
            which = "all folds, " if row["graph"] == FOLDS else ""
            lines.append(
                f"{answer}: {which}{row['precision']} in {row['runtime']} needs {speed['budget_minutes']:.1f} of "
                f"{budget['minutes']:g} minutes for {budget['audio_hours']:g} h with {export_report['threads']} "
                "thread(s)"
            )
    return lines


def processor() -> str:
    """Return the name of the processor, if the system provides it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in read_regular(info, MOST_ARTEFACT_BYTES).decode(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


def _rows(exported: Exported) -> Sequence[Row]:
    return [row for kind, row in exported.agreements if kind == MODEL]


def _change(exported: Exported, row: Row, figure: str) -> float | None:
    """Return a row's figure minus that of torch; None if either is undefined."""
    if row.name not in exported.judged:
        return None
    change = getattr(exported.judged[row.name], figure) - getattr(exported.judged[REFERENCE], figure)
    return _plain_figure(change)


def _plain_figure(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), _DIGITS)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"
