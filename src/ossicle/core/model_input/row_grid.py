"""The rows of a recording's log-mel spectrogram that any crop on the grid of the chunk plan reads.

A crop begins at a multiple of the front end's hop, and its first row at an offset before that. So one spectrogram of
the recording holds the rows of every crop: row i covers samples ``[i * hop - shift, i * hop - shift + n_fft)``.
"""

from dataclasses import dataclass

from ossicle.core.model_input.chunks import ChunkPlan, framing
from ossicle.core.model_input.frontend import FrontEndSettings


@dataclass(frozen=True, slots=True)
class RowGrid:
    """Places of the rows in samples at the rate of the front end.

    Attributes
    ----------
    hop_samples
        From one row to the next.
    n_fft
        Samples that a row is computed from.
    shift_samples
        Samples by which row 0 begins before the recording, less than a hop.
    lead_rows
        Whole hops by which a crop's first row begins before the crop, besides that.
    """

    hop_samples: int
    n_fft: int
    shift_samples: int
    lead_rows: int

    def start_sample(self, row: int) -> int:
        """Return the first sample of a row; it may lie before the recording."""
        return row * self.hop_samples - self.shift_samples

    @property
    def first_row(self) -> int:
        """The first row of a recording that holds any of its samples; rows before it are silent."""
        return (self.shift_samples - self.n_fft) // self.hop_samples + 1

    def n_rows(self, n_samples: int) -> int:
        """Return the number of rows from :attr:`first_row` on that hold samples of a recording of ``n_samples``."""
        stop = -((-n_samples - self.shift_samples) // self.hop_samples)
        return max(0, stop - self.first_row) if n_samples else 0

    def crop_row(self, start_sample: int) -> int:
        """Return the first row of a crop whose first frame begins at ``start_sample``.

        Raises
        ------
        ValueError
            The crop does not begin on the grid.
        """
        if start_sample % self.hop_samples:
            raise ValueError(f"start_sample = {start_sample} is not a multiple of the hop ({self.hop_samples} samples)")
        return start_sample // self.hop_samples - self.lead_rows

    def on_grid(self, start_sample: int) -> int:
        """Return the nearest start of a crop at or before ``start_sample``."""
        return start_sample - start_sample % self.hop_samples


def row_grid(plan: ChunkPlan, front: FrontEndSettings) -> RowGrid:
    """Return the grid on which all crops of a plan lie.

    Raises
    ------
    ValueError
        Every window has its own rows, because the step is not a whole number of hops of the front end.
    """
    if not framing(plan, front).shared:
        raise ValueError("windows of an exact step share no rows of a spectrogram")
    offset = (plan.window_samples - plan.hop_samples) // 2
    return RowGrid(front.hop_samples, front.n_fft, offset % front.hop_samples, offset // front.hop_samples)
