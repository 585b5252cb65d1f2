"""Simultaneous onsets: those with an onset of another label at most a short time away."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ossicle.core.intervals import Intervals
from ossicle.metrics.matching.rules import TOLERANCE


def simultaneous(onsets_s: Mapping[str, NDArray[np.float64]], within_s: float) -> dict[str, NDArray[np.bool_]]:
    """Return which onsets of each label of one recording have an onset of another label at most ``within_s`` away.

    Parameters
    ----------
    onsets_s
        Label to onsets in seconds, float64 (n,), in any order.
    within_s
        Largest distance in seconds.

    Examples
    --------
    >>> found = simultaneous({"kick": np.array([0.0, 1.0]), "snare": np.array([1.02])}, 0.03)
    >>> found["kick"].tolist(), found["snare"].tolist()
    ([False, True], [True])
    """
    near = {}
    for label, onsets in onsets_s.items():
        others = np.sort(
            np.concatenate([np.zeros(0), *(other_onsets for name, other_onsets in onsets_s.items() if name != label)])
        )
        near[label] = _is_near(onsets, others, within_s)
    return near


def of_simultaneous(
    references: Mapping[str, Intervals], predictions: Mapping[str, Intervals], within_s: float
) -> tuple[dict[str, Intervals], dict[str, Intervals]]:
    """Return the simultaneous references of one recording, and the predictions at most ``within_s`` from one of them.

    Parameters
    ----------
    references, predictions
        Label to times (n, 2) in seconds; only starts are compared.
    within_s
        Largest distance in seconds, of simultaneous onsets and of predictions from them.
    """
    together = simultaneous({label: times[:, 0] for label, times in references.items()}, within_s)
    simultaneous_times = {label: times[together[label]] for label, times in references.items()}
    places = np.sort(np.concatenate([np.zeros(0), *(times[:, 0] for times in simultaneous_times.values())]))
    return simultaneous_times, {
        label: times[_is_near(times[:, 0], places, within_s)] for label, times in predictions.items()
    }


def _is_near(times_s: NDArray[np.float64], places_s: NDArray[np.float64], within_s: float) -> NDArray[np.bool_]:
    """Return which times have one of the sorted places at most ``within_s`` away: bool (n,)."""
    reach = within_s + TOLERANCE
    low = np.searchsorted(places_s, times_s - reach, side="left")
    high = np.searchsorted(places_s, times_s + reach, side="right")
    near: NDArray[np.bool_] = high > low
    return near
