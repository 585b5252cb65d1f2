"""Shards of frames: segments cut from the stream of a recording."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ossicle.artefacts.features.shard import index_file, shard_problems
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.encoders.build import build_by
from ossicle.audio.encoders.frames.mfcc import MfccEncoder
from ossicle.audio.encoders.frames.shards import (
    FrameShardJob,
    Segment,
    SegmentCutter,
    SegmentedRecording,
    build_frame_shard,
    passes,
)
from ossicle.core.errors import ArtefactError, AudioError

RATE = 16000


def write(path: Path, seconds: float, rate: int = RATE, seed: int = 0) -> Path:
    samples = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path


def built(folder: Path, recordings: list[SegmentedRecording]) -> FeaturesFolder:
    own = FeaturesFolder(folder)
    build_frame_shard(FrameShardJob(own.shards, "shard-0000", tuple(recordings)), MfccEncoder())
    own.write_frames_summary(MfccEncoder.spec, ["shard-0000"])
    return own


def test_the_frames_of_a_segment_are_those_of_its_samples(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 3.0, 22050)
    segments = (Segment("a#0000", 0.25, 1.0), Segment("a#0001", 1.0, 1.01), Segment("a#0002", 1.5, 3.0))
    own = built(tmp_path, [SegmentedRecording(path, segments)])
    result = {key: (values, levels) for key, values, levels in own.frames()}
    assert list(result) == ["a#0000", "a#0001", "a#0002"]
    assert (own.hop_s, own.origin_s, own.window_s) == (0.02, 0.0125, 0.025)
    # A piece of 10 ms has no frame of 25 ms.
    assert [len(values) for values, _ in result.values()] == [37, 0, 74]
    samples = load_mono(path, RATE)
    for segment in segments[::2]:
        cut = samples[round(segment.start_s * RATE) : round(segment.end_s * RATE)]
        values, levels = result[segment.segment_id]
        np.testing.assert_allclose(values, MfccEncoder().encode(cut[None])[0], rtol=2e-3, atol=5e-2)
        assert (values.dtype, levels.dtype) == (np.float32, np.float32)
        np.testing.assert_allclose(levels[3], 10 * np.log10(np.square(cut[960:1360]).mean()), atol=1e-3)
    assert shard_problems(own.shards, "shard-0000", 0) == []


def test_segments_may_overlap_and_come_in_any_order(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 2.0)
    segments = (Segment("b", 0.5, 2.0), Segment("a", 0.0, 1.0), Segment("c", 1.0, 1.5))
    together = {key: values for key, values, _ in built(tmp_path / "1", [SegmentedRecording(path, segments)]).frames()}
    for one in segments:
        (alone,) = built(tmp_path / one.segment_id, [SegmentedRecording(path, (one,))]).frames()
        np.testing.assert_array_equal(together[one.segment_id], alone[1])


def test_a_recording_that_cannot_be_read_costs_only_its_own_segments(tmp_path: Path) -> None:
    good = SegmentedRecording(write(tmp_path / "a.wav", 1.0), (Segment("a#0000", 0.0, 1.0),))
    (tmp_path / "b.wav").write_bytes(b"not audio")
    bad = SegmentedRecording(tmp_path / "b.wav", (Segment("b#0000", 0.0, 1.0), Segment("b#0001", 1.0, 2.0)))
    gone = SegmentedRecording(tmp_path / "c.wav", (Segment("c#0000", 0.0, 1.0),))
    last = SegmentedRecording(write(tmp_path / "d.wav", 1.0), (Segment("d#0000", 0.0, 1.0),))
    own = built(tmp_path, [good, bad, gone, last])
    assert [key for key, *_ in own.frames()] == ["a#0000", "d#0000"]
    assert sorted(own.left_out) == ["b#0000", "b#0001", "c#0000"]


@pytest.mark.parametrize("workers", [1, 2])
def test_shards_have_the_same_bytes_with_any_number_of_workers(tmp_path: Path, workers: int) -> None:
    folder = tmp_path / str(workers)
    jobs = []
    for k in range(2):
        path = write(tmp_path / f"{k}.wav", 1.0, seed=k)
        recording = SegmentedRecording(path, (Segment(f"{k}#0000", 0.1, 0.9),))
        jobs.append(FrameShardJob(folder, f"shard-000{k}", (recording,)))
    indexes = dict(build_by(build_frame_shard, jobs, MfccEncoder, workers))
    assert {name: index.entries[0].windows for name, index in indexes.items()} == {"shard-0000": 39, "shard-0001": 39}
    expected = tmp_path / f"alone{workers}"
    for job in jobs:
        build_frame_shard(FrameShardJob(expected, job.name, job.recordings), MfccEncoder())
        assert index_file(folder, job.name).read_bytes() == index_file(expected, job.name).read_bytes()


@given(
    bounds=st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True),
    sizes=st.lists(st.integers(1, 17), min_size=1, max_size=3),
)
def test_cut_samples_do_not_depend_on_the_blocks(bounds: list[int], sizes: list[int]) -> None:
    samples = np.arange(50, dtype=np.float32)

    def blocks() -> Iterator[NDArray[np.float32]]:
        first, k = 0, 0
        while first < len(samples):
            yield samples[first : first + sizes[k % len(sizes)]]
            first, k = first + sizes[k % len(sizes)], k + 1

    ordered = sorted(bounds)
    cutter = SegmentCutter(blocks())
    for start, stop in zip(ordered[::2], ordered[1::2], strict=False):
        parts = list(cutter.cut(Segment("s", start / 10, stop / 10), 10))
        np.testing.assert_array_equal(np.concatenate([np.zeros(0), *parts]), samples[start:stop])


def test_segments_after_a_failure_fail_for_the_same_reason() -> None:
    def blocks() -> Iterator[NDArray[np.float32]]:
        yield np.zeros(10, np.float32)
        raise AudioError("damaged after 1 s")

    cutter = SegmentCutter(blocks())
    assert len(np.concatenate(list(cutter.cut(Segment("a", 0.0, 0.5), 10)))) == 5
    for start in (0.5, 2.0):
        with pytest.raises(AudioError, match="damaged after 1 s"):
            list(cutter.cut(Segment("b", start, start + 1.0), 10))


def test_overlapping_segments_need_another_pass() -> None:
    assert [len(one) for one in passes([Segment(str(k), k, k + 1.0) for k in range(5)])] == [5]
    assert [len(one) for one in passes([Segment(str(k), 0.0, 1.0) for k in range(3)])] == [1, 1, 1]


def test_embeddings_of_windows_have_no_frames(tmp_path: Path) -> None:
    own = FeaturesFolder(tmp_path)
    own.write_summary(MfccEncoder.spec, 2.0, 0.5, 0, [])
    assert not own.of_frames
    with pytest.raises(ArtefactError, match="not frames of segments"):
        list(own.frames())
