"""The windows into which a longer stretch of sound is divided for an encoder."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ossicle.core.settings import setting, settings


@settings
class EncoderWindows:
    """The windows of a clip: the first begins with it, and only full ones count.

    An encoder may read only windows of one length, or hear more in short ones; the tokens of all windows of a clip,
    one window after the other, are the tokens of the clip.

    Examples
    --------
    >>> windows = EncoderWindows(window_samples=3, hop_samples=1)
    >>> windows.of(np.arange(5.0, dtype=np.float32)).tolist()
    [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    """

    window_samples: int = setting(help="length of a window in samples", ge=1, le=1 << 25)
    hop_samples: int = setting(help="samples from the start of a window to that of the next", ge=1, le=1 << 25)

    def count(self, n_samples: int) -> int:
        """Return the number of full windows in ``n_samples`` samples."""
        return 0 if n_samples < self.window_samples else 1 + (n_samples - self.window_samples) // self.hop_samples

    def of(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the windows of samples (n,), at least one window long: float32 (count, window_samples)."""
        windows = sliding_window_view(samples, self.window_samples)[:: self.hop_samples]
        return np.ascontiguousarray(windows)
