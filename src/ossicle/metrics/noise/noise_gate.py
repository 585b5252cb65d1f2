"""The noise gate as a pure function: compare how often each label fires on sound without targets with limits.

A *probe* is a kind of sound without a target; a *part* of it is one level or one kind of recording. Each part is judged
by itself, since a detector may be silent on faint noise and fire on loud noise. One event per minute is 60 per hour. A
detector that is always active gives one long event, so the share of the time that events fill has a limit too.

Synthetic sound is the same all the time. In recordings one gust or one passer-by can hold all false alarms of a part,
so no single minute refuses a bundle: what stays within the limits without its worst minute is a warning.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
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
        help="highest number of out-of-fold events per hour on reviewed empty recordings and between annotations",
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

    ``rest_per_hour`` and ``rest_share``: events per hour and share of the time without the minute of one recording in
    which the label fires most often, and which it fills most (:func:`rate_without_the_worst`); None on synthetic sound.
    """

    probe: str
    part: str
    label: str
    seconds: float
    n_events: int
    active_s: float
    rest_per_hour: float | None = None
    rest_share: float | None = None

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
    ``one_minute``: so it is because without one minute of one recording the firing is within the limits.
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
            **asdict(firing),
            "seconds": round(firing.seconds, 6),
            "active_s": round(firing.active_s, 6),
            "per_hour": round(firing.per_hour, 6),
            "active_share": round(firing.active_share, 6),
            "rest_per_hour": None if firing.rest_per_hour is None else round(firing.rest_per_hour, 6),
            "rest_share": None if firing.rest_share is None else round(firing.rest_share, 6),
            "limit_per_hour": self.limit_per_hour,
            "limit_share": self.limit_share,
            "refused": self.refused,
            "excused": self.excused,
            "one_minute": self.one_minute,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Judged":
        """Read what :meth:`to_json` wrote."""
        firing = Firing(**{spec.name: values[spec.name] for spec in fields(Firing) if spec.name in values})
        return cls(
            firing,
            values["limit_per_hour"],
            values["refused"],
            values.get("limit_share"),
            values.get("excused", False),
            values.get("one_minute", False),
        )


def rate_without_the_worst(amounts: NDArray[np.float64], seconds: NDArray[np.float64]) -> float:
    """Return the amount per second outside the stretch with the largest amount.

    Parameters
    ----------
    amounts
        What happened in each stretch of at most a minute, as a number of events or seconds of activity, shape (n,).
    seconds
        Length of each stretch in seconds, shape (n,).

    Returns
    -------
    float
        0 if less than :data:`LEAST_S` remain: they cannot confirm what one minute holds.

    Examples
    --------
    >>> minute = np.full(4, 60.0)
    >>> rate_without_the_worst(np.array([14.0, 1.0, 0.0, 2.0]), minute) * 3600
    60.0
    """
    worst = int(np.argmax(amounts)) if len(amounts) else 0
    remaining_s = float(np.delete(seconds, worst).sum()) if len(seconds) else 0.0
    return float(np.delete(amounts, worst).sum()) / remaining_s if remaining_s >= LEAST_S else 0.0


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
        often, much = firing.per_hour > limit, firing.active_share > share + _ROUNDING
        # A limit of no event at all allows none in one minute either.
        often_elsewhere = often and (firing.rest_per_hour is None or limit == 0 or firing.rest_per_hour > limit)
        much_elsewhere = much and (firing.rest_share is None or firing.rest_share > share + _ROUNDING)
        one_minute = (often or much) and not (often_elsewhere or much_elsewhere)
        excused = firing.probe in EXCUSABLE and firing.probe in (resembles or {}).get(firing.label, ())
        refused = (often_elsewhere or much_elsewhere) and not excused
        judgements.append(Judged(firing, limit, refused, share, excused, one_minute))
    return judgements
