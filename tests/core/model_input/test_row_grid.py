"""The rows of one spectrogram serve every crop: compared with the spectrogram of each crop by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.audio.features.logmel import log_mel
from ossicle.core.model_input.chunks import ChunkPlan, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.model_input.row_grid import row_grid

FRONT = FrontEndSettings(rate=8000, n_fft=256, hop_samples=160, n_mels=16, fmax_hz=4000.0, preemphasis=0.5)
FRAMES = ChunkPlan(rate=8000, hop_samples=160, window_samples=256, core_frames=7, context_frames=2)
WINDOWS = window_plan(FRONT, window_s=0.2, step_s=0.06, core_s=0.3)


@settings(max_examples=60, deadline=None)
@given(
    plan=st.sampled_from([FRAMES, WINDOWS]),
    n_samples=st.integers(1, 4000),
    frame=st.integers(-12, 40),
    seed=st.integers(0, 9),
)
def test_the_rows_of_any_crop_are_those_of_the_crop_itself(plan, n_samples, frame, seed):
    grid = row_grid(plan, FRONT)
    padded = np.zeros(3 * 8000 + n_samples, np.float32)
    padded[8000 : 8000 + n_samples] = np.random.default_rng(seed).normal(0, 0.1, n_samples)
    count = grid.n_rows(n_samples)
    begin = 8000 + grid.start_sample(grid.first_row)
    crop_log_mel = log_mel(padded[begin : begin + (count - 1) * 160 + 256], FRONT)
    assert crop_log_mel.shape == (count, 16)
    start = frame * 160
    first = 8000 + start - (plan.window_samples - plan.hop_samples) // 2
    own = log_mel(padded[first : first + plan.chunk_samples], FRONT)
    silence = log_mel(np.zeros(256, np.float32), FRONT)[0]
    for k, row in enumerate(own):
        row_number = grid.crop_row(start) + k - grid.first_row
        np.testing.assert_allclose(crop_log_mel[row_number] if 0 <= row_number < count else silence, row, atol=1e-3)


def test_rows_are_no_more_than_hold_sound():
    grid = row_grid(FRAMES, FRONT)
    assert grid.n_rows(0) == 0
    for n_samples in (1, 159, 160, 161, 8000):
        last = grid.first_row + grid.n_rows(n_samples) - 1
        assert grid.start_sample(grid.first_row) + 256 > 0 >= grid.start_sample(grid.first_row - 1) + 256
        assert grid.start_sample(last) < n_samples <= grid.start_sample(last + 1)


def test_what_lies_off_the_grid_is_refused():
    grid = row_grid(FRAMES, FRONT)
    assert (grid.on_grid(-1), grid.on_grid(0), grid.on_grid(319)) == (-160, 0, 160)
    with pytest.raises(ValueError, match="not a multiple of the hop"):
        grid.crop_row(1)
    with pytest.raises(ValueError, match="exact step"):
        row_grid(window_plan(FRONT, window_s=0.2, step_s=0.05, core_s=0.3, exact=True), FRONT)
