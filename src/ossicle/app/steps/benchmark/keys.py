"""Identify a decision in tables and folders: the columns that distinguish it from others, and its complete settings."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ossicle.app.steps.benchmark.models import Opened
from ossicle.core.decisions.decision import Decision
from ossicle.evaluation.figures.benchmark import Judging, Row
from ossicle.inference.decisions.grid import DecisionGrid

BUNDLE = "bundle"


def reading_key(opened: Opened) -> Row:
    """Return the columns that say which model read in which windows; ``window_s`` is empty for a frame-wise model."""
    plan = opened.plan
    return {
        "model": opened.reading.model.name,
        "reading": opened.reading.window_name,
        "window_s": plan.window_samples / plan.rate if opened.reading.model.windowed else None,
        "step_s": plan.hop_s,
    }


def decision_key(decision: Decision, grid: DecisionGrid, hop_s: float) -> Row:
    """Return the columns that distinguish one decision of the grid from the others."""
    # The share as the user gave it: the quotient off / on differs in its last digits.
    ratio = min(grid.off_ratio, key=lambda ratio: abs(ratio * decision.on - decision.off)) if decision.on else 1.0
    return {
        "decision": "grid",
        "smoothing": decision.smoothing,
        "smoothing_s": 0.0 if decision.smoothing == "none" else decision.smoothing_frames * hop_s,
        "off_ratio": ratio,
        "min_length_s": decision.min_length_s,
        "min_gap_s": decision.min_gap_s,
        "threshold": decision.on,
    }


def bundle_key(decisions: Mapping[str, Decision], labels: tuple[str, ...], hop_s: float) -> Row:
    """Return the key of the bundle's own decisions: for all labels together, only the settings that they share."""
    each = [
        {
            "smoothing": decision.smoothing,
            "smoothing_s": 0.0 if decision.smoothing == "none" else decision.smoothing_frames * hop_s,
            "off_ratio": decision.off / decision.on if decision.on else 1.0,
            "min_length_s": decision.min_length_s,
            "min_gap_s": decision.min_gap_s,
            "threshold": decision.on,
        }
        for decision in (decisions[label] for label in labels)
    ]
    return {
        "decision": BUNDLE,
        **{
            name: (
                each[0][name] if len({columns[name] for columns in each}) == 1 else None,
                *(columns[name] for columns in each),
            )
            for name in each[0]
        },
    }


def resolved(
    opened: Opened, decisions: Mapping[str, Decision], key: Row, judging: Judging, marks: str
) -> dict[str, Any]:
    """Return all settings that the events of a folder were made with, defaults included."""
    return {
        "model": opened.reading.model.name,
        "bundle": opened.bundle.name,
        "identity": opened.identity,
        "runtime": opened.runtime,
        "reading": opened.reading.window_name,
        "plan": asdict(opened.plan),
        "frontend": asdict(opened.bundle.front),
        "decisions": {label: decision.to_plain() for label, decision in decisions.items()},
        "columns": {name: value[0] if isinstance(value, tuple) else value for name, value in key.items()},
        "criteria": [name for name, _ in judging.criteria],
        "split": dict(opened.bundle.split),
        "marks": marks,
    }
