"""A detector that finds nothing: silent everywhere, it would pass every test of noise, so it is refused."""

from collections.abc import Mapping
from typing import Any


def nothing_found(metrics: Mapping[str, Any]) -> str:
    """Return in words that a detector finds none of the annotated events out of fold; empty if it finds any.

    Parameters
    ----------
    metrics
        The content of ``metrics.json``, with the pooled counts ``n_reference``, ``n_predicted`` and ``tp``.

    Examples
    --------
    >>> nothing_found({"n_reference": 64, "n_predicted": 0, "tp": 0})
    'it finds none of the 64 annotations out of fold, and detects nothing at all'
    >>> nothing_found({"n_reference": 64, "n_predicted": 9, "tp": 1})
    ''
    """
    if metrics["tp"] > 0 or metrics["n_reference"] == 0:
        return ""
    n_false = metrics["n_predicted"]
    instead = f"; its {n_false} detections are all false" if n_false else ", and detects nothing at all"
    return f"it finds none of the {metrics['n_reference']} annotations out of fold{instead}"
