import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.units.frames import SegmentFrames
from ossicle.units.normalisation import NORMALISATIONS, SUM_FRAMES, FrameSums, statistics_of
from ossicle.units.normalised import NormalisedFrames, group_statistics, normalisation_of, segment_sums

from .speech import groups, spoken


def made(
    kind: str, frames: dict[str, np.ndarray], kept: np.ndarray | None = None
) -> tuple[NormalisedFrames, np.ndarray]:
    """Normalised frames, and the same by the slow way: segment by segment, as `Quantiser.assign` normalises."""
    whole = SegmentFrames.of_arrays(frames, groups(frames))
    own = group_statistics(whole)
    part = whole if kept is None else whole.only(kept)
    normalisation = normalisation_of(kind, part)
    slow = [
        normalisation.apply(frames[key].astype(np.float32), own[group] if kind == "group" else None)
        for key, group in zip(part.ids, part.groups, strict=True)
    ]
    return NormalisedFrames(part, normalisation, own), np.concatenate(slow)


@pytest.mark.parametrize("kind", NORMALISATIONS)
@given(first=st.integers(0, 300), count=st.integers(0, 300), every=st.sampled_from([1, 2, 5]), seed=st.integers(0, 5))
def test_blocks_are_cut_from_what_the_quantiser_would_see(kind, first, count, every, seed):
    frames = spoken(seed=seed)
    normalised_frames, slow = made(kind, frames, np.arange(24) % every == 0)
    first = min(first, len(slow) - 1)
    count = min(count, len(slow) - first)
    assert len(normalised_frames) == len(slow)
    np.testing.assert_array_equal(normalised_frames.block(first, count), slow[first : first + count])


@pytest.mark.parametrize("kind", NORMALISATIONS)
def test_single_frames_are_taken_from_everywhere(kind):
    normalised_frames, slow = made(kind, spoken(n_segments=60, longest=200))
    places = np.sort(np.random.default_rng(0).choice(len(slow), 100, replace=False))
    np.testing.assert_array_equal(normalised_frames.take(places), slow[places])
    assert normalised_frames.take(places[:0]).shape == (0, 4)


def test_a_segment_longer_than_a_piece_has_the_statistics_of_its_whole():
    long = np.random.default_rng(0).standard_normal((2 * SUM_FRAMES + 7, 3)).astype(np.float32)
    frames = SegmentFrames.of_arrays({"a": long[:5], "b": long})
    pieces, whole = segment_sums(frames, 1).statistics(), statistics_of(long)
    np.testing.assert_array_equal(pieces.mean, whole.mean)
    np.testing.assert_array_equal(pieces.scale, whole.scale)


def test_a_group_has_the_statistics_of_all_its_segments():
    frames = spoken()
    result = group_statistics(SegmentFrames.of_arrays(frames, groups(frames)))
    for group in ("s0", "s1", "s2"):
        own = np.concatenate([frame for key, frame in frames.items() if groups(frames)[key] == group]).astype(float)
        np.testing.assert_allclose(result[group].mean, own.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(result[group].scale, own.std(axis=0), rtol=1e-5)


def test_the_scale_of_segments_is_that_of_frames_without_their_means():
    frames = {key: one for key, one in spoken().items() if len(one)}
    whole = SegmentFrames.of_arrays(frames)
    centred = np.concatenate([frame.astype(float) - frame.astype(float).mean(axis=0) for frame in frames.values()])
    statistics = normalisation_of("segment", whole).corpus
    np.testing.assert_allclose(statistics.scale, centred.std(axis=0), rtol=1e-4)
    assert statistics.mean.tolist() == [0.0] * 4


def test_a_group_without_statistics_is_refused():
    frames = SegmentFrames.of_arrays(spoken())
    with pytest.raises(KeyError):
        NormalisedFrames(frames, normalisation_of("group", frames), {"s0": FrameSums(4).statistics()})
