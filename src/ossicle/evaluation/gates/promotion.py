"""The promotion gate as a pure function: the figures of a run against limits and against the promoted model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ossicle.evaluation.gates.figures import figure_at, paths_like
from ossicle.evaluation.gates.gate_line import GateLine
from ossicle.evaluation.gates.settings import PromotionSettings

_F1_OF_LABELS = ("clips.f1.*", "onsets.f1.*", "states.f1.*", "per_label.*.f1")
"""Where recipes keep the F1 of each label; the first that a run has is compared."""
_ROUNDING = 1e-9


def promotion_lines(
    metrics: Mapping[str, Any],
    settings: PromotionSettings,
    promoted: Mapping[str, Any] | None = None,
    *,
    compared: Mapping[str, Any] | None = None,
    against: str = "the promoted model",
    other_data: str = "",
) -> list[GateLine]:
    """Return the lines of the promotion gate.

    Parameters
    ----------
    metrics
        The figures of the run.
    settings
        The limits.
    promoted
        The figures of the promoted model; None if there is none.
    compared
        The figures of the run on the clips of the promoted model's figures; None if all figures are of these.
    against
        What to call the promoted model.
    other_data
        Why the figures of the two cannot be compared; empty if they are of the same clips.
    """
    lines = [condition.check(metrics) for condition in settings.conditions]
    if promoted is None:
        return lines
    if other_data:
        return [*lines, GateLine(f"same data as {against}", False, reason=other_data)]
    return [*lines, *_no_worse(metrics if compared is None else compared, settings, promoted, against)]


def compared_figures(*metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the pattern of the figures that are compared by default: the F1 of every label."""
    return next(((pattern,) for pattern in _F1_OF_LABELS if any(paths_like(each, pattern) for each in metrics)), ())


def _no_worse(
    metrics: Mapping[str, Any], settings: PromotionSettings, promoted: Mapping[str, Any], against: str
) -> Iterator[GateLine]:
    patterns: Sequence[str] = settings.no_worse or compared_figures(metrics, promoted)
    if not patterns:
        yield GateLine(f"no worse than {against}", False, reason="the runs have no figures of labels to compare")
    for pattern in patterns:
        paths = dict.fromkeys((*paths_like(promoted, pattern), *paths_like(metrics, pattern)))
        if not paths:
            yield GateLine(f"{pattern} no worse than {against}", False, reason="neither run has such a figure")
        for path in paths:
            yield _compared(path, metrics, promoted, settings.margin, against)


def _compared(
    path: str, metrics: Mapping[str, Any], promoted: Mapping[str, Any], margin: float, against: str
) -> GateLine:
    name = f"{path} no worse than {against}"
    new, old = figure_at(metrics, path), figure_at(promoted, path)
    if old.value is None:
        known = "" if new.value is None else f"{against} has no such figure"
        return GateLine(name, True, new.value, None, note=known or "undefined in both")
    limit = old.value - margin
    if new.value is None:
        return GateLine(name, False, None, limit, f"{new.missing} (before: {old.value:.4g})")
    if new.value >= limit - _ROUNDING:
        return GateLine(name, True, new.value, limit)
    reason = f"{new.value:.4g} is below {old.value:.4g} by more than the margin of {margin:g}"
    return GateLine(name, False, new.value, limit, reason)
