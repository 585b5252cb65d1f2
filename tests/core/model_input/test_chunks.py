"""The chunk plan: every frame is scored once, from the samples around its centre."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.model_input.chunks import ChunkPlan, Framing, framing, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.time import to_samples


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


KNOWN = FrontEndSettings(rate=48000, n_fft=2048, hop_samples=1024, n_mels=128, fmin_hz=0.0, fmax_hz=4000.0)


def test_the_published_window_is_seventeen_frames_every_two() -> None:
    plan = window_plan(KNOWN, window_s=0.4, step_s=0.05, core_s=1.0)
    assert (plan.hop_samples, plan.window_samples, plan.core_frames, plan.context_frames) == (2048, 18432, 23, 0)
    assert framing(plan, KNOWN) == Framing(window_frames=17, step_frames=2, n_frames=61, shared=True)
    assert plan.chunk_samples == 2048 + 60 * 1024


def test_an_exact_step_is_kept_and_every_window_has_its_own_frames() -> None:
    plan = window_plan(KNOWN, window_s=0.4, step_s=0.05, core_s=1.0, exact=True)
    assert (plan.hop_samples, plan.core_frames) == (2400, 20)
    assert framing(plan, KNOWN) == Framing(window_frames=17, step_frames=17, n_frames=340, shared=False)
    assert framing(window_plan(KNOWN, 0.4, 2048 / 48000, 1.0, exact=True), KNOWN).shared


fronts = st.builds(
    lambda rate, n_fft, hop: FrontEndSettings(rate=rate, n_fft=2 * n_fft, hop_samples=2 * hop, fmax_hz=rate / 2),
    st.sampled_from([8000, 16000, 22050, 48000]),
    st.integers(8, 1100),
    st.integers(1, 600),
)


@given(fronts, st.floats(0.01, 2.0), st.floats(0.001, 1.0), st.floats(0.1, 5.0), st.booleans())
def test_windows_hold_whole_frames_and_steps_are_the_nearest(
    front: FrontEndSettings, window_s: float, step_s: float, core_s: float, exact: bool
) -> None:
    if to_samples(window_s, front.rate) < front.n_fft + front.hop_samples:
        with pytest.raises(ValueError, match="shorter than two STFT frames"):
            window_plan(front, window_s, step_s, core_s, exact)
        return
    plan = window_plan(front, window_s, step_s, core_s, exact)
    frames = framing(plan, front)
    # The longest whole number of frames within the window.
    assert plan.window_samples <= window_s * front.rate + 0.5 < plan.window_samples + front.hop_samples
    assert plan.window_samples == front.n_fft + (frames.window_frames - 1) * front.hop_samples
    unit = 2 if exact else front.hop_samples
    assert abs(plan.hop_samples - step_s * front.rate) <= unit / 2 * (1 + 1e-5) or plan.hop_samples == unit
    assert frames.shared or exact
    if frames.shared:
        # Window i of a chunk begins with row i * step_frames of the chunk's one STFT.
        assert frames.step_frames * front.hop_samples == plan.hop_samples
        assert frames.n_frames == 1 + (plan.chunk_samples - front.n_fft) // front.hop_samples
    else:
        assert frames.n_frames == plan.core_frames * frames.window_frames
    assert abs(plan.core_frames * plan.hop_s - core_s) <= plan.hop_s


def test_a_frame_wise_plan_is_a_window_of_one_frame() -> None:
    plan = ChunkPlan(rate=48000, hop_samples=1024, window_samples=2048, core_frames=5, context_frames=2)
    assert framing(plan, KNOWN) == Framing(window_frames=1, step_frames=1, n_frames=9, shared=True)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"rate": 44100}, "rate: 44100 and 48000"),
        ({"hop_samples": 2048}, "hop_samples: 2048 and 1024"),
        ({"window_samples": 2050}, "window_samples / n_fft: 2050"),
        ({"window_samples": 1024}, "window_samples / n_fft: 1024"),
    ],
)
def test_a_plan_of_other_frames_is_refused(values: dict[str, int], named: str) -> None:
    plan = ChunkPlan(
        **{"rate": 48000, "hop_samples": 1024, "window_samples": 2048, "core_frames": 5} | values, context_frames=0
    )
    with pytest.raises(ValueError, match=f"disagree on {named}"):
        framing(plan, KNOWN)


@pytest.mark.parametrize(("window_s", "step_s", "why"), [(0.05, 0.05, "two STFT frames"), (0.4, 0.0, "step_s = 0 s")])
def test_impossible_windows_are_refused(window_s: float, step_s: float, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        window_plan(KNOWN, window_s, step_s, 1.0)
