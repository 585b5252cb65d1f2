"""The chunk plan: every frame is scored once, from the samples around its centre."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.chunks import ChunkPlan


@st.composite
def plans(draw: st.DrawFn) -> ChunkPlan:
    return ChunkPlan(
        rate=draw(st.sampled_from([8000, 16000, 48000])),
        hop_samples=2 * draw(st.integers(1, 40)),
        window_samples=2 * draw(st.integers(1, 120)),
        core_frames=draw(st.integers(1, 30)),
        context_frames=draw(st.integers(0, 10)),
    )


@given(plans(), st.integers(0, 20_000))
def test_cores_tile_the_frames_of_a_recording(plan: ChunkPlan, n_samples: int) -> None:
    frames, chunks = plan.n_frames(n_samples), plan.n_chunks(n_samples)
    assert frames * plan.hop_samples >= n_samples > (frames - 1) * plan.hop_samples or frames == n_samples == 0
    assert chunks * plan.core_frames >= frames
    assert chunks == 0 or (chunks - 1) * plan.core_frames < frames


@given(plans(), st.integers(0, 50), st.data())
def test_a_frame_is_computed_from_the_samples_around_its_centre(
    plan: ChunkPlan, chunk: int, data: st.DataObject
) -> None:
    inside = data.draw(st.integers(0, plan.core_frames - 1))
    frame = chunk * plan.core_frames + inside
    # With center=False, frame j of a chunk reads window_samples from start + j * hop.
    first = plan.start_sample(chunk) + (plan.context_frames + inside) * plan.hop_samples
    centre = frame * plan.hop_samples + plan.hop_samples // 2
    assert first + plan.window_samples // 2 == centre


@given(plans(), st.integers(0, 50))
def test_neighbouring_chunks_lie_one_core_apart(plan: ChunkPlan, chunk: int) -> None:
    assert plan.start_sample(chunk + 1) - plan.start_sample(chunk) == plan.core_samples
    assert plan.start_sample(0) == -plan.lead_samples


@given(plans())
def test_a_chunk_holds_exactly_its_frames(plan: ChunkPlan) -> None:
    # As an uncentred STFT counts them.
    assert 1 + (plan.chunk_samples - plan.window_samples) // plan.hop_samples == plan.chunk_frames


@given(plans())
def test_latency_is_the_core_the_right_context_and_half_a_window(plan: ChunkPlan) -> None:
    right = plan.context_frames * plan.hop_samples + (plan.window_samples - plan.hop_samples) // 2
    assert plan.latency_s * plan.rate == pytest.approx(plan.core_samples + right)


def test_frame_centres_that_fall_between_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="even"):
        ChunkPlan(rate=16000, hop_samples=161, window_samples=512, core_frames=100, context_frames=10)
    with pytest.raises(ValueError, match="rate = 10 Hz must be at least 1000 Hz"):
        ChunkPlan(rate=10, hop_samples=160, window_samples=512, core_frames=100, context_frames=10)
