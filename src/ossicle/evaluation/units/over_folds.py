"""Figures of units over held-out folds: the worst fold, the mean, and whether the data can support them."""

from collections.abc import Mapping
from typing import Any

from ossicle.core.text.counting import counted
from ossicle.metrics.reports.event_report import plain

FEWEST_RECORDINGS = 5
"""Recordings that a fold needs for a figure."""
FEWEST_WORDS = 5
"""Different words that a fold needs."""

UNDEFINED = "undefined"
"""Key of a fold without figures: why it has none, in words that name the groups held out."""

_FIGURES = (
    "ami",
    "nmi",
    "purity",
    "abx_within",
    "abx_across",
    "boundary_precision",
    "boundary_recall",
    "boundary_f",
    "r_value",
    "bitrate",
    "bitrate_runs",
    "repeat_rate",
)
_LESS_IS_BETTER = frozenset({"abx_within", "abx_across", "bitrate", "bitrate_runs"})
_CHANCE = ("chance", "shuffled", "random")
"""Keys under which the level by chance stands beside a figure of a fold."""

Fold = Mapping[str, Any]
"""Plain values of :class:`ossicle.evaluation.units.unit_figures.UnitFigures`."""


def over_folds(folds: Mapping[str, Fold]) -> dict[str, Any]:
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
        ``ami.shifted``: AMI of the units of that fold moved in time.
    """
    names = [name for name in _FIGURES if any(name in fold for fold in folds.values())]
    headline: dict[str, Any] = {
        name: _worst(name, {key: fold[name] for key, fold in folds.items() if name in fold}) for name in names
    }
    if "ami" in headline:
        shuffled = [fold["ami_shuffled"] for fold in folds.values() if fold.get("ami_shuffled") is not None]
        headline["ami_shuffled"] = {"value": max(shuffled, key=abs, default=None), "low": None, "high": None}
        worst = folds.get(headline["ami"]["fold"], {})
        headline["ami"]["chance"], headline["ami"]["shifted"] = worst.get("ami_shuffled"), worst.get("ami_shifted")
    return headline


def _worst(name: str, figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    defined = {fold: figure for fold, figure in figures.items() if figure["value"] is not None}
    if not defined:
        return {"value": None, "low": None, "high": None, "fold": None, "mean": None, "gap": None}
    sign = -1 if name in _LESS_IS_BETTER else 1
    fold, worst = min(defined.items(), key=lambda pair: sign * pair[1]["value"])
    values = [figure["value"] for figure in defined.values()]
    summary = {
        **{key: worst[key] for key in ("value", "low", "high")},
        "fold": fold,
        "mean": plain(sum(values) / len(values)),
        "gap": plain(max(values) - min(values)),
    }
    beside = [worst[key] for key in _CHANCE if key in worst]
    return {**summary, "chance": beside[0]} if beside else summary


def thin_folds(folds: Mapping[str, Fold]) -> list[str]:
    """Return in words why figures say little about other speech; empty if there is enough.

    Parameters
    ----------
    folds
        The figures of every fold by its name.
    """
    reasons = []
    for name, fold in folds.items():
        if UNDEFINED in fold:
            reasons.append(fold[UNDEFINED])
            continue
        if fold["recordings"] < FEWEST_RECORDINGS:
            reasons.append(
                f"{name}: {_counted_are(fold['recordings'], 'recording')} judged, and {FEWEST_RECORDINGS} are needed"
            )
        if "ami" not in fold:
            continue
        ami = fold["ami"]
        if fold["labels"] < FEWEST_WORDS:
            reasons.append(
                f"{name}: {_counted_are(fold['labels'], 'different word')} judged, and {FEWEST_WORDS} are needed"
            )
        elif ami["low"] is not None:
            interval = f"{ami['value']:.3f} [{ami['low']:.3f}, {ami['high']:.3f}]"
            moved = fold["ami_shifted"]
            if ami["low"] <= 0:
                reasons.append(f"{name}: the AMI {interval} cannot be told from chance")
            elif moved is not None and ami["low"] <= moved:
                reasons.append(
                    f"{name}: the AMI {interval} is not above that of the same units moved in time ({moved:.3f})"
                )
    return reasons


def _counted_are(number: int, noun: str) -> str:
    return f"{counted(number, noun)} {'is' if number == 1 else 'are'}"
