"""Why the data of a project do not support its figures, below the table of these."""

from collections.abc import Mapping
from typing import Any

_MOST_REASONS = 6


def insufficient_because(metrics: Mapping[str, Any]) -> list[str]:
    """Return one line with the first reasons why the data are insufficient; none if they suffice.

    Parameters
    ----------
    metrics
        ``metrics.json`` of a project.

    Returns
    -------
    list of str
        The line.

    Examples
    --------
    >>> insufficient_because({"insufficient_because": ["a", "b"]}), insufficient_because({})
    (['insufficient: a; b'], [])
    """
    reasons = metrics.get("insufficient_because", [])
    more = f"; and {len(reasons) - _MOST_REASONS} more in metrics.json" if len(reasons) > _MOST_REASONS else ""
    return [f"insufficient: {'; '.join(reasons[:_MOST_REASONS])}{more}"] if reasons else []
