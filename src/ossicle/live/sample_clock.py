"""When a sample was heard: sample counts tied to the clock of the system, with the drift between the two.

A sound card counts samples with a quartz of its own. Its rate differs from the nominal one by up to some hundred parts
per million, which is 0.36 s an hour at 100 ppm. Blocks also arrive late by varying amounts, but never early. The clock
therefore keeps the least delay of every few seconds, and fits a line through these.
"""

from collections import deque

_BUCKET_S = 5.0
_BUCKETS = 24
# A line through fewer buckets says more about their delays than about the quartz.
_FIT_FROM = 6
_MOST_DRIFT = 1e-3
# A bucket whose least delay is so far from the line was not late by chance: samples are missing, or the clock was set.
_STEP_S = 0.1


class SampleClock:
    """The monotonic time of each sample of a capture.

    Parameters
    ----------
    rate
        Nominal sample rate in Hz.

    Examples
    --------
    >>> clock = SampleClock(8000)
    >>> clock.restart(0, 100.0)
    >>> clock.time_of(4000)
    100.5
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._drift = 0.0
        self.restart(0, 0.0)

    @property
    def drift_ppm(self) -> float:
        """How much longer a nominal second of samples lasts than a second of the clock, in parts per million."""
        return self._drift * 1e6

    def restart(self, sample: int, time_s: float) -> None:
        """Begin again after a gap: ``sample`` was heard at ``time_s``. The drift is kept."""
        self._origin, self._origin_s = sample, time_s
        # Of each closed bucket: its least delay and the nominal second in which it occurred.
        self._closed: deque[tuple[float, float]] = deque(maxlen=_BUCKETS)
        self._open: tuple[float, float] | None = None
        self._bucket_ends_s = _BUCKET_S
        self._base_s, self._base_delay_s = 0.0, 0.0

    def observe(self, sample: int, time_s: float) -> float:
        """Add that ``sample`` was available at ``time_s``.

        Returns
        -------
        The step in seconds that the samples just made against the line, 0.0 for none. After a step of 0.1 s or more
        the clock has restarted at it. A positive one means that samples are missing.
        """
        nominal_s = (sample - self._origin) / self._rate
        step_s = 0.0
        if nominal_s >= self._bucket_ends_s and self._open is not None:
            step_s = self._close()
            nominal_s = (sample - self._origin) / self._rate
            self._bucket_ends_s = nominal_s + _BUCKET_S
        delay_s = time_s - self._origin_s - nominal_s
        if self._open is None or delay_s - self._drift * nominal_s < self._open[1] - self._drift * self._open[0]:
            self._open = (nominal_s, delay_s)
        if not self._closed:
            self._base_s, self._base_delay_s = self._open
        return step_s

    def time_of(self, sample: float) -> float:
        """Return the monotonic time at which ``sample`` was heard, in seconds."""
        nominal_s = (sample - self._origin) / self._rate
        return self._origin_s + nominal_s + self._delay(nominal_s)

    def samples_until(self, sample: int, time_s: float) -> int:
        """Return how many samples the device heard between ``sample`` and ``time_s``; at least 0."""
        return max(0, round((time_s - self.time_of(sample)) / (1.0 + self._drift) * self._rate))

    def _delay(self, nominal_s: float) -> float:
        return self._base_delay_s + self._drift * (nominal_s - self._base_s)

    def _close(self) -> float:
        """Close the open bucket and fit the line; return a step of the bucket against the line."""
        assert self._open is not None
        nominal_s, delay_s = self._open
        self._open = None
        if self._closed and abs(step_s := delay_s - self._delay(nominal_s)) >= _STEP_S:
            self.restart(self._origin + round(nominal_s * self._rate), self._origin_s + nominal_s + delay_s)
            return step_s
        self._closed.append((nominal_s, delay_s))
        self._fit()
        return 0.0

    def _fit(self) -> None:
        """Fit drift and delay to the closed buckets by least squares."""
        count = len(self._closed)
        mean_s = sum(time_s for time_s, _ in self._closed) / count
        mean_delay_s = sum(time_s for _, time_s in self._closed) / count
        if count >= _FIT_FROM:
            spread = sum((time_s - mean_s) ** 2 for time_s, _ in self._closed)
            slope = sum((time_s - mean_s) * (delay - mean_delay_s) for time_s, delay in self._closed) / spread
            self._drift = min(_MOST_DRIFT, max(-_MOST_DRIFT, slope))
        self._base_s, self._base_delay_s = mean_s, mean_delay_s
