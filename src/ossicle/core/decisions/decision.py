"""Rules that turn scores into events, as data; ``ossicle.inference.decisions.decide`` applies them."""

import dataclasses
from typing import Any

from ossicle.core.decisions.hysteresis import SMOOTHINGS, refuse_even_median, refuse_hysteresis
from ossicle.core.settings import setting, settings

STRETCHES, PEAKS = "stretches", "peaks"
MOST_SMOOTHING_FRAMES = 100_001
"""A quarter of an hour in frames of 10 ms; a median over more takes the memory and the time of a recording."""


@settings
class Decision:
    """The decision rule of one label.

    A region is a run of frames whose smoothed score is at least ``off``. It is kept if at least one frame reaches
    ``on`` (hysteresis). Regions at most ``min_gap_s`` apart are joined; regions shorter than ``min_length_s`` are then
    dropped.

    With ``pick = "peaks"`` an event is an onset instead: the place of a highest score of at least ``on``, at least
    ``min_gap_s`` from higher ones, refined between frames. It lasts one frame; ``off`` and ``min_length_s`` do nothing.

    Parameters
    ----------
    on, off
        Score that a frame must reach for an event to begin, and below which it ends; from 0 to 1, ``off <= on``.
    smoothing, smoothing_frames
        Smoothing of the scores over time: ``none``, ``median`` over an odd number of frames, or ``ema`` of this span.
    min_length_s, min_gap_s
        Shortest event that is kept, and longest gap that is closed, in seconds.
    pick
        ``stretches`` or ``peaks``.

    Raises
    ------
    ValueError
        A value is out of range, ``off`` is above ``on``, or the length of a median is even.

    Examples
    --------
    >>> Decision(on=0.3, off=0.5)
    Traceback (most recent call last):
    ValueError: off = 0.5 must not be above on = 0.3
    >>> Decision(on=0.4, off=0.4, pick="peaks").to_plain()["pick"]
    'peaks'
    """

    on: float = setting(default=0.5, help="score that a frame must reach for an event to begin", ge=0, le=1)
    off: float = setting(default=0.5, help="score below which an event ends; at most `on`", ge=0, le=1)
    smoothing: str = setting(default="none", help="smoothing of the scores over time", choices=SMOOTHINGS)
    smoothing_frames: int = setting(
        default=1, help="length of the median (odd), or span of the EMA (2/alpha - 1)", ge=1, le=MOST_SMOOTHING_FRAMES
    )
    min_length_s: float = setting(default=0.0, help="shorter events are dropped", unit="s", ge=0)
    min_gap_s: float = setting(default=0.0, help="events with a gap of at most this are joined", unit="s", ge=0)
    pick: str = setting(
        default=STRETCHES,
        help="stretches of high scores, or the onsets at their peaks",
        choices=(STRETCHES, PEAKS),
        digest_default=False,
    )

    def __post_init__(self) -> None:
        """Reject ``off`` above ``on`` and a median over an even number of frames."""
        refuse_hysteresis(self.on, self.off)
        refuse_even_median(self.smoothing, "smoothing_frames", self.smoothing_frames)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for a file.

        Returns
        -------
        dict
            Value by name; ``pick`` is left out at its default, because the first files lack it.
        """
        plain = dataclasses.asdict(self)
        return {key: value for key, value in plain.items() if key != "pick" or value != STRETCHES}
