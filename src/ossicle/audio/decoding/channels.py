"""Several channels of a recording as one, and whether their mean loses what they hold.

Two channels of which one is inverted, by a wrongly wired cable for example, cancel each other: each is loud, and their
mean is silent.
"""

import numpy as np
from numpy.typing import NDArray

from ossicle.core.errors import AudioError
from ossicle.core.model_input.channel import FIRST, LOUDEST, MEAN

_WINDOW_S = 0.1
# Unrelated channels keep all of the power that averaging leaves them. Channels cancel if a quarter of it is left:
# channels of equal power then have a correlation below -0.75.
_LEFT = 0.25
_FLOOR_DB = -200.0
# A channel that is inverted for a part of a recording leaves next to nothing in stretches of 10 s; single calls that
# two microphones hear out of phase leave more. Such stretches count if they hold a tenth of the power. A last one of
# less than a second may be a single call.
_STRETCH_WINDOWS, _LEAST_WINDOWS = 100, 10
_LEFT_IN_STRETCH, _LEAST_SHARE = 0.05, 0.1


class ChannelBalance:
    """Measure, block by block, how much of the power of the channels is left in their mean.

    Windows of 0.1 s count by their power, so that a few loud calls decide and not the noise between them. A constant
    offset has no part in it. Channels that cancel in a part of the recording only are found by stretches of 10 s.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._window = max(1, round(_WINDOW_S * rate))
        self._channels = channels
        self._rest = np.zeros((0, channels), dtype=np.float32)
        # Power of the mean, of the mean of unrelated channels, and of the loudest channel: in all windows, in those of
        # this stretch, and in the stretches that cancel. The first three are weighted by the power of the windows, and
        # the last is that of the loudest channel without weights.
        self._all, self._stretch, self._cancelled = np.zeros(4), np.zeros(4), np.zeros(4)
        self._n_windows = 0

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next samples, shape (n, channels), any n."""
        known = np.concatenate([self._rest, block]) if len(self._rest) else block
        whole = len(known) - len(known) % self._window
        self._rest = known[whole:].copy()
        if whole:
            self._count(known[:whole].reshape(-1, self._window, self._channels))

    def _count(self, windows: NDArray[np.float32]) -> None:
        """Add windows, shape (n, window, channels)."""
        power = windows.var(axis=1, dtype=np.float64)
        loudest = power.max(axis=1)
        mean = windows.mean(axis=2).var(axis=1, dtype=np.float64)
        powers = np.stack([mean, power.sum(axis=1) / self._channels**2, loudest])
        done = 0
        while done < len(windows):
            n_windows = min(_STRETCH_WINDOWS - self._n_windows, len(windows) - done)
            part = slice(done, done + n_windows)
            self._stretch[:3] += powers[:, part] @ loudest[part]
            self._stretch[3] += loudest[part].sum()
            self._n_windows += n_windows
            done += n_windows
            if self._n_windows == _STRETCH_WINDOWS:
                self._end_stretch()

    def _end_stretch(self) -> None:
        """Add the stretch to all windows, and to those that cancel if it does."""
        self._all += self._stretch
        if self._n_windows >= _LEAST_WINDOWS and self._stretch[0] <= _LEFT_IN_STRETCH * self._stretch[1]:
            self._cancelled += self._stretch
        self._stretch, self._n_windows = np.zeros(4), 0

    @property
    def cancel_db(self) -> float | None:
        """How many dB the mean lies below the loudest channel, as a negative number; None unless channels cancel.

        Where they cancel in a part of the recording only, it is that of the part.
        """
        if len(self._rest):
            self._count(self._rest[None])
            self._rest = self._rest[:0]
        self._end_stretch()
        if self._channels < 2 or self._all[2] == 0:
            return None
        if self._all[0] <= _LEFT * self._all[1]:
            mean, _, loudest, _ = self._all
        elif self._cancelled[3] >= _LEAST_SHARE * self._all[3]:
            mean, _, loudest, _ = self._cancelled
        else:
            return None
        ratio = float(mean / loudest)
        return round(max(_FLOOR_DB, 10 * float(np.log10(ratio))), 1) if ratio > 0 else _FLOOR_DB


def cancel_words(cancel_db: float) -> str:
    """Return what it means that channels cancel.

    >>> cancel_words(-38.2)
    'channels cancel: their mean is 38.2 dB below the loudest channel, in all or a part of the recording'
    """
    below = f"{-cancel_db:g} dB below the loudest channel"
    return f"channels cancel: their mean is {below}, in all or a part of the recording"


def mix(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the channels of a block (n, channels), shape (n,)."""
    channels = block.shape[1]
    if channels == 1:
        return block[:, 0]
    total = block[:, 0] + block[:, 1]
    for channel in range(2, channels):
        total += block[:, channel]
    mean: NDArray[np.float32] = total / np.float32(channels)
    return mean


def one_channel(block: NDArray[np.float32], index: int | None) -> NDArray[np.float32]:
    """Return one channel of a block (n, channels), or the mean of all if ``index`` is None; shape (n,)."""
    return mix(block) if index is None else np.ascontiguousarray(block[:, index])


def channel_index(channel: str, n_channels: int) -> int | None:
    """Return the index of a channel that is chosen by name or number; None for the mean.

    Parameters
    ----------
    channel
        As :func:`ossicle.core.model_input.channel.channel_name` returns it.
    n_channels
        Number of channels of the recording; a single one is read whatever is chosen.

    Raises
    ------
    AudioError
        The recording has no such channel, or only its samples tell.

    Examples
    --------
    >>> channel_index("mean", 2), channel_index("first", 2), channel_index("2", 2)
    (None, 0, 1)
    """
    if channel == MEAN or n_channels == 1:
        return None
    if channel == FIRST:
        return 0
    if channel == LOUDEST:
        raise AudioError("the loudest channel is known only when all of a recording is: choose a channel by its number")
    if int(channel) > n_channels:
        raise AudioError(
            f"has {n_channels} channels, and [audio] channel = {channel} is to be read; choose another channel, or "
            "leave it out"
        )
    return int(channel) - 1


class LoudestChannel:
    """Find the channel with the most power, block by block; of equal ones the first."""

    def __init__(self, channels: int) -> None:
        self._sums = np.zeros(channels)
        self._squares = np.zeros(channels)
        self._n_samples = 0

    def add(self, block: NDArray[np.float32]) -> None:
        """Take the next samples, shape (n, channels)."""
        self._sums += block.sum(axis=0, dtype=np.float64)
        self._squares += np.square(block, dtype=np.float64).sum(axis=0)
        self._n_samples += len(block)

    @property
    def index(self) -> int:
        """The index of the channel."""
        n_samples = max(1, self._n_samples)
        return int(np.argmax(self._squares / n_samples - np.square(self._sums / n_samples)))
