"""Figures of units over held-out folds: the worst fold, the mean, and whether the data can support them."""

import math
from collections.abc import Mapping
from typing import Any

from ossicle.evaluation.units.unit_figures import UnitFigures
from ossicle.metrics.reports.event_report import Estimate, plain

FEWEST_RECORDINGS = 5
"""Recordings that a fold needs for a figure."""
FEWEST_WORDS = 5
"""Different words that a fold needs."""
_LESS_IS_BETTER = frozenset({"abx_within", "abx_across", "bitrate", "bitrate_runs"})
_BESIDE = {
    "ami": ("ami_shuffled",),
    "nmi": ("nmi", "chance"),
    "purity": ("purity", "shuffled"),
    "boundary_f": ("boundary_f", "random"),
    "r_value": ("r_value", "random"),
    "abx_within": ("abx_within", "shuffled"),
    "abx_across": ("abx_across", "shuffled"),
}
"""Where the level by chance of a figure stands in a fold."""


def over_folds(folds: Mapping[str, UnitFigures]) -> dict[str, Any]:
    """Return the headline of ``metrics.json``: of each figure the worst fold, the mean, and the gap to the best.

    Undefined figures of a fold are left out; a figure that no fold has is None.

    Parameters
    ----------
    folds
        The figures of every fold by its name.

    Returns
    -------
    dict
        By figure: ``value``, ``low``, ``high`` of the worst fold, ``fold``, ``mean``, ``gap`` and, where there is one,
        ``chance``: the same figure of shuffled units in that fold. ``ami_shuffled``: that of all folds furthest from 0.
    """
    if not folds:
        return {}
    names = list(next(iter(folds.values())).figures)
    out: dict[str, Any] = {
        name: _worst(name, {fold: one.figures[name] for fold, one in folds.items()}, folds) for name in names
    }
    shuffled = [one.words.agreement.ami_shuffled for one in folds.values() if one.words is not None]
    defined = [value for value in shuffled if not math.isnan(value)]
    if shuffled:
        out["ami_shuffled"] = {"value": plain(max(defined, key=abs, default=math.nan)), "low": None, "high": None}
    return out


def _worst(name: str, figures: Mapping[str, Estimate], folds: Mapping[str, UnitFigures]) -> dict[str, Any]:
    defined = {fold: one for fold, one in figures.items() if not math.isnan(one.value)}
    if not defined:
        return {"value": None, "low": None, "high": None, "fold": None, "mean": None, "gap": None}
    sign = -1 if name in _LESS_IS_BETTER else 1
    fold, worst = min(defined.items(), key=lambda pair: sign * pair[1].value)
    values = [one.value for one in defined.values()]
    out = {**worst.to_json(), "fold": fold, "mean": plain(sum(values) / len(values))}
    out["gap"] = plain(max(values) - min(values))
    if name in _BESIDE:
        found: Any = folds[fold].to_json()
        for key in _BESIDE[name]:
            found = found[key]
        out["chance"] = found
    return out


def thin_folds(folds: Mapping[str, UnitFigures]) -> list[str]:
    """Return in words why figures say little about other speech; empty if there is enough.

    Parameters
    ----------
    folds
        The figures of every fold by its name.
    """
    out = []
    for name, one in folds.items():
        if one.recordings < FEWEST_RECORDINGS:
            out.append(f"{name}: {one.recordings} recordings are judged, and {FEWEST_RECORDINGS} are needed")
        if one.words is None:
            continue
        agreement = one.words.agreement
        if agreement.n_labels < FEWEST_WORDS:
            out.append(f"{name}: {agreement.n_labels} different words are judged, and {FEWEST_WORDS} are needed")
        elif agreement.ami.low <= 0:
            ami = f"{agreement.ami.value:.3f} [{agreement.ami.low:.3f}, {agreement.ami.high:.3f}]"
            out.append(f"{name}: the AMI {ami} cannot be told from chance")
    return out
