"""Exceptions of a passed noise gate: sounds on which the detector fires more than the default limits allow.

A project may switch a probe off, or raise its limits, and a label may sound like a probe itself. The noise gate then
passes a detector that fires there, as it does one whose false alarms in recordings lie in a single minute. So the card,
the page and the leaderboard name these sounds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ossicle.metrics.noise.noise_gate import LEAST_S, PROBES, Firing, Judged, NoiseGateSettings

_USUAL = NoiseGateSettings()


def gate_exceptions(gate: Mapping[str, Any]) -> tuple[str, ...]:
    """Return one sentence for each probe that was switched off or whose raised limits let the detector pass, and for
    each label that fires on what its own sounds resemble, or in one minute of one recording.

    Parameters
    ----------
    gate
        The content of ``gate`` in ``metrics.json``.

    Returns
    -------
    tuple of str
        In the order of :data:`~ossicle.metrics.noise.noise_gate.PROBES`; empty if the default limits judged everything.

    Examples
    --------
    >>> firing = {"probe": "hum", "part": "50 Hz at -30 dBFS", "label": "call", "seconds": 60.0, "n_events": 4}
    >>> firing |= {"active_s": 0.4, "limit_per_hour": None, "refused": False}
    >>> gate_exceptions({"limits": {"off": ["hum"]}, "firings": [firing]})
    ("mains hum is switched off: 'call' fires 240 times an hour on it (50 Hz at -30 dBFS), 1 % of the time",)
    """
    judged = [Judged.from_json(firing) for firing in gate["firings"]]
    return tuple(_sentences(judged, gate["limits"]))


def _sentences(judged: Sequence[Judged], limits: Mapping[str, Any]) -> Iterator[str]:
    off = limits.get("off", ())
    for probe, title in PROBES.items():
        measured = [
            judgement for judgement in judged if judgement.firing.probe == probe and judgement.firing.seconds >= LEAST_S
        ]
        passed = [
            judgement
            for judgement in measured
            if not judgement.refused and not judgement.excused and _excess_beyond_a_minute(judgement) > 1
        ]
        excess = f": {_in_words(max(passed, key=_excess), 'it')}" if passed else ""
        if probe in off:
            yield f"{title} is switched off{excess or ', and the detector stays within the default limits there'}"
        elif excess and _raised(limits, probe):
            yield f"{title} has limits above the default ones{excess}"
        alike = [judgement for judgement in measured if judgement.excused and judgement.excess]
        for worst in _worst_by_label(alike):
            yield f"{_in_words(worst, title)}; its own sounds are like that, so this refuses no bundle"
        for worst in _worst_by_label([judgement for judgement in measured if judgement.one_minute]):
            yield f"{_in_words(worst, title)}; {_why_one_minute(worst)}, which refuses no bundle"


def _raised(limits: Mapping[str, Any], probe: str) -> bool:
    """Return whether a limit of the probe is above the default one; long windows fill more time within the same."""
    return any(
        limits.get(key, usual) > usual
        for key, usual in ((f"{probe}_per_hour", _USUAL.limit(probe)), ("active_share", _USUAL.active_share))
    )


def _worst_by_label(judged: Sequence[Judged]) -> list[Judged]:
    """Return for each label the judgement that exceeds the default limits most."""
    worst: dict[str, Judged] = {}
    for judgement in judged:
        label = judgement.firing.label
        worst[label] = max(worst.get(label, judgement), judgement, key=_excess)
    return list(worst.values())


def _why_one_minute(judgement: Judged) -> str:
    if any(rest.seconds < LEAST_S for rest in judgement.firing.rests):
        return "without one minute of one recording too little sound is left to confirm it"
    return "one minute of one recording makes it so"


def _excess(judgement: Judged) -> float:
    """Return how often the default limits fit into what was measured; above 1 they are exceeded."""
    return _usual_excess(judgement.firing)


def _excess_beyond_a_minute(judgement: Judged) -> float:
    """Return :func:`_excess`, without the worst minute where only that exceeds the project's own limits."""
    if not judgement.one_minute:
        return _excess(judgement)
    return min(_usual_excess(rest) if rest.seconds >= LEAST_S else 0.0 for rest in judgement.firing.rests)


def _usual_excess(firing: Firing) -> float:
    limit = _USUAL.limit(firing.probe)
    # A limit of no event at all is exceeded by the first one.
    often = firing.per_hour / limit if limit > 0 else float(firing.n_events) * 2
    return max(often, firing.active_share / _USUAL.active_share)


def _in_words(judgement: Judged, probe: str) -> str:
    firing = judgement.firing
    return (
        f"{firing.label!r} fires {firing.per_hour:.0f} times an hour on {probe} ({firing.part}), "
        f"{100 * firing.active_share:.0f} % of the time"
    )
