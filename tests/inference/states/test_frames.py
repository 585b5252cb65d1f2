import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.states.frames import first_full_frame, frame_arrival_s, frame_centre_s, n_full_frames

sizes = st.integers(1, 20).map(lambda half: 2 * half)


@given(hop=sizes, window=sizes, n_samples=st.integers(0, 300), core=st.integers(1, 4))
def test_full_frames_are_those_whose_window_lies_in_the_recording(hop, window, n_samples, core):
    plan = ChunkPlan(rate=1000, hop_samples=hop, window_samples=window, core_frames=core, context_frames=0)
    starts = [frame * hop + hop // 2 - window // 2 for frame in range(plan.n_frames(n_samples))]
    inside = [frame for frame, start in enumerate(starts) if start >= 0 and start + window <= n_samples]
    full_frames = range(first_full_frame(plan), n_full_frames(plan, n_samples))
    assert list(full_frames) == inside


@pytest.mark.parametrize("core", [1, 5])
def test_a_frame_is_timed_in_its_middle_and_arrives_with_its_chunk(core):
    plan = ChunkPlan(rate=1000, hop_samples=500, window_samples=2000, core_frames=core, context_frames=0)
    assert frame_centre_s(plan, 4) == 2.25
    assert frame_arrival_s(plan, 4) == 2.25 + 1.0
    assert frame_arrival_s(plan, 5) == pytest.approx(2.75 + 1.0 if core == 1 else 4.75 + 1.0)
