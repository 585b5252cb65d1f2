"""The noise gate as a pure function: compare how often each label fires on sound without targets with limits.

A *probe* is a kind of sound without a target; a *part* of it is one level or one kind of recording. Each part is judged
by itself, since a detector may be silent on faint noise and fire on loud noise. One event per minute is 60 per hour. A
detector that is always active gives one long event, so the share of the time that events fill has a limit too.

Synthetic sound is the same all the time. In recordings one gust or one passer-by can hold all false alarms of a part,
so no single minute refuses a bundle: what stays within the limits without its worst minute is a warning.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.core.settings import setting, settings

PROBES: Mapping[str, str] = {
    "silence": "digital silence",
    "white_noise": "white noise",
    "hum": "mains hum",
    "speech_like": "speech-like noise",
    "recordings": "recordings without the target",
}
"""Names of the probes, and their titles."""

RECORDINGS = "recordings"
"""The only probe that is not synthetic."""

EXCUSABLE = ("white_noise", "hum", "speech_like")
"""Probes that a label's own sounds may resemble; detecting it there is then a warning."""

# Of shares that come from the same seconds by two ways.
_ROUNDING = 1e-9
LEAST_S = 60.0
"""Parts with less sound than this are shown but not judged: one event in them does not give a rate."""


@settings
class NoiseGateSettings:
    """Limits of the noise gate: the largest number of events per hour of any label on any part of a probe."""

    silence_per_hour: float = setting(default=0.0, help="highest number of events per hour on digital silence", ge=0)
    white_noise_per_hour: float = setting(
        default=60.0, help="highest number of events per hour on white noise at -60, -40 and -20 dBFS", ge=0
    )
    hum_per_hour: float = setting(
        default=60.0, help="highest number of events per hour on mains hum of 50 and 60 Hz at -50 and -30 dBFS", ge=0
    )
    speech_like_per_hour: float = setting(
        default=60.0, help="highest number of events per hour on speech-like noise at -50, -35 and -20 dBFS", ge=0
    )
    recordings_per_hour: float = setting(
        default=300.0,
        help="highest number of out-of-fold events per hour on reviewed empty recordings and between annotations; "
        "unless this is 0, one minute of one recording alone refuses nothing",
        ge=0,
    )
    active_share: float = setting(
        default=0.05, help="largest share of the time of a probe that one label may fill", ge=0, le=1
    )
    off: tuple[str, ...] = setting(
        default=(), help="probes that are measured and shown, but cannot refuse the bundle", choices=tuple(PROBES)
    )
    may_find_nothing: bool = setting(
        default=False,
        help="publish a detector that finds none of the annotated events out of fold, to try whether everything runs",
    )
    probe_s: float = setting(default=60.0, help="length of each synthetic probe", unit="s", ge=LEAST_S, le=3600)
    seed: int = setting(default=0, help="seed of the synthetic probes", ge=0)

    def limit(self, probe: str) -> float:
        """Return the largest number of events per hour on a probe."""
        return float(getattr(self, f"{probe}_per_hour"))


@dataclass(frozen=True, slots=True)
class Firing:
    """Events of one label on one part of a probe: ``n_events`` in ``seconds``, filling ``active_s`` of them.

    ``rests``: the same without one minute of one recording, once without the minute with most events and once without
    the minute that the events fill most (:func:`with_rests`); empty on synthetic sound.
    """

    probe: str
    part: str
    label: str
    seconds: float
    n_events: int
    active_s: float
    rests: "tuple[Firing, ...]" = ()

    @property
    def per_hour(self) -> float:
        """Events per hour."""
        return self.n_events * 3600 / self.seconds

    @property
    def active_share(self) -> float:
        """Share of the time that the events fill, in [0, 1]."""
        return self.active_s / self.seconds


@dataclass(frozen=True, slots=True)
class Judged:
    """A firing compared with its limits, in events per hour and as a share of the time; both are None if the part was
    not judged.

    ``excused``: the label's own sounds resemble the probe, so exceeding a limit is a warning and no refusal.
    ``one_minute``: a limit is exceeded, but not without one minute of one recording, or less than :data:`LEAST_S`
    remains without it; a warning too.
    """

    firing: Firing
    limit_per_hour: float | None
    refused: bool
    limit_share: float | None = None
    excused: bool = False
    one_minute: bool = False

    @property
    def excess(self) -> str:
        """Which limits the firing exceeds, in words and with the exceeded limits only; empty if none."""
        firing, exceeded = self.firing, []
        if self.limit_per_hour is not None and firing.per_hour > self.limit_per_hour:
            exceeded.append(f"fires {firing.per_hour:.0f} times an hour (limit {self.limit_per_hour:g})")
        if self.limit_share is not None and firing.active_share > self.limit_share + _ROUNDING:
            exceeded.append(
                f"fills {100 * firing.active_share:.0f} % of the time (limit {100 * self.limit_share:.3g} %)"
            )
        return f"{' and '.join(exceeded)} on {PROBES[firing.probe]} ({firing.part})" if exceeded else ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values, figures rounded to 6 decimals."""
        firing = self.firing
        return {
            **_plain(firing),
            "rests": [_plain(rest) for rest in firing.rests],
            "per_hour": round(firing.per_hour, 6),
            "active_share": round(firing.active_share, 6),
            "limit_per_hour": self.limit_per_hour,
            "limit_share": self.limit_share,
            "refused": self.refused,
            "excused": self.excused,
            "one_minute": self.one_minute,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Judged":
        """Read what :meth:`to_json` wrote."""
        rests = tuple(_firing(rest) for rest in values.get("rests", ()))
        firing = replace(_firing(values), rests=rests)
        return cls(
            firing,
            values["limit_per_hour"],
            values["refused"],
            values.get("limit_share"),
            values.get("excused", False),
            values.get("one_minute", False),
        )


def with_rests(
    firing: Firing, seconds: NDArray[np.float64], n_events: NDArray[np.int64], active_s: NDArray[np.float64]
) -> Firing:
    """Return a firing on recordings with what remains of it without its worst minute.

    Parameters
    ----------
    firing
        Events of one label on all minutes together.
    seconds
        Length of each minute, or of what was judged of it, in seconds: float64 (n,).
    n_events
        Number of events in each minute: int64 (n,).
    active_s
        Seconds of each minute that the events fill: float64 (n,).

    Returns
    -------
    Firing
        With one or two ``rests``, or none if there is no minute.

    Examples
    --------
    >>> firing = Firing("recordings", "reviewed empty", "call", seconds=120.0, n_events=15, active_s=0.8)
    >>> minutes = np.full(2, 60.0), np.array([14, 1]), np.array([0.7, 0.1])
    >>> [(rest.seconds, rest.n_events) for rest in with_rests(firing, *minutes).rests]
    [(60.0, 1)]
    """
    if not len(seconds):
        return firing
    # Of minutes with equally many events the one that they fill most, and the other way round.
    worst = {int(np.lexsort((active_s, n_events))[-1]), int(np.lexsort((n_events, active_s))[-1])}
    rests = (
        replace(
            firing,
            seconds=firing.seconds - float(seconds[minute]),
            n_events=firing.n_events - int(n_events[minute]),
            active_s=firing.active_s - float(active_s[minute]),
        )
        for minute in sorted(worst)
    )
    return replace(firing, rests=tuple(rests))


def judge(
    firings: Sequence[Firing],
    limits: NoiseGateSettings,
    resembles: Mapping[str, Collection[str]] | None = None,
    frame_s: float = 0.0,
) -> list[Judged]:
    """Compare every firing with the limits.

    Parameters
    ----------
    firings
        What was measured; parts of zero length are left out.
    limits
        The limits.
    resembles
        By label, the probes that its own sounds resemble (``metrics.noise.noise_likeness``). Silence and recordings
        always count.
    frame_s
        Length in seconds of a frame of the detector, and so of its shortest event. As many such events as the limit per
        hour allows may fill more than ``active_share`` of the time: what one limit allows, the other does not refuse.

    Returns
    -------
    list of Judged
        In the given order.

    Examples
    --------
    >>> one = Firing("white_noise", "-20 dBFS", "call", seconds=60.0, n_events=4, active_s=0.4)
    >>> [found.refused for found in judge([one], NoiseGateSettings())]
    [True]
    """
    judgements = []
    for firing in firings:
        if firing.seconds <= 0:
            continue
        if firing.probe in limits.off or firing.seconds < LEAST_S:
            judgements.append(Judged(firing, None, False))
            continue
        limit = limits.limit(firing.probe)
        share = max(limits.active_share, limit * frame_s / 3600)
        over = _exceeds(firing, limit, share)
        # A limit of no event at all allows none in one minute either.
        one_minute = over and limit > 0 and any(_confirms_nothing(rest, limit, share) for rest in firing.rests)
        excused = firing.probe in EXCUSABLE and firing.probe in (resembles or {}).get(firing.label, ())
        refused = over and not one_minute and not excused
        judgements.append(Judged(firing, limit, refused, share, excused, one_minute))
    return judgements


def _exceeds(firing: Firing, limit_per_hour: float, limit_share: float) -> bool:
    return firing.per_hour > limit_per_hour or firing.active_share > limit_share + _ROUNDING


def _confirms_nothing(rest: Firing, limit_per_hour: float, limit_share: float) -> bool:
    return rest.seconds < LEAST_S - _ROUNDING or not _exceeds(rest, limit_per_hour, limit_share)


def _plain(firing: Firing) -> dict[str, Any]:
    values = {spec.name: getattr(firing, spec.name) for spec in fields(Firing) if spec.name != "rests"}
    return {**values, "seconds": round(firing.seconds, 6), "active_s": round(firing.active_s, 6)}


def _firing(values: Mapping[str, Any]) -> Firing:
    return Firing(**{spec.name: values[spec.name] for spec in fields(Firing) if spec.name != "rests"})
