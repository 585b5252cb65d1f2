import numpy as np
import pytest

from ossicle.artefacts.features.shard import ShardWriter
from ossicle.core.errors import ArtefactError
from ossicle.units.frames import ArrayRows, SegmentFrames, ShardRows, to_single

from .speech import groups, shards, spoken


def test_every_finite_half_becomes_the_same_single():
    half = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    half = half[np.isfinite(half)]
    out = np.empty(half.shape, np.float32)
    to_single(half, out)
    np.testing.assert_array_equal(out.view(np.uint32), half.astype(np.float32).view(np.uint32))


@pytest.mark.parametrize("kind", ["array", "shards"])
def test_rows_are_the_same_wherever_they_lie(tmp_path, kind):
    frames = spoken()
    whole = np.concatenate(list(frames.values()))
    if kind == "array":
        rows: ArrayRows | ShardRows = ArrayRows(whole)
    else:
        rows = SegmentFrames.of_shards(shards(tmp_path, frames, [5, 0, 1, 18])).source
    assert rows.dim == 4
    for first, count in ((0, len(whole)), (3, 0), (7, 200), (len(whole) - 1, 1)):
        out = np.empty((count, 4), np.float32)
        rows.read(first, out)
        np.testing.assert_array_equal(out, whole[first : first + count].astype(np.float32))


def test_segments_keep_names_groups_and_frames(tmp_path):
    frames = spoken()
    for segment_frames in (
        SegmentFrames.of_arrays(frames, groups(frames)),
        SegmentFrames.of_shards(shards(tmp_path, frames, [10, 14]), groups(frames)),
    ):
        assert segment_frames.ids == tuple(frames)
        assert segment_frames.groups[:4] == ("s0", "s1", "s2", "s0")
        assert segment_frames.count.tolist() == [len(frame) for frame in frames.values()]
        assert segment_frames.n_frames == sum(map(len, frames.values()))
        some = segment_frames.only(np.arange(24) % 5 == 0)
        assert some.ids == tuple(list(frames)[::5])
        for place, key in enumerate(some.ids):
            out = np.empty((some.count[place], 4), np.float32)
            some.source.read(int(some.first[place]), out)
            np.testing.assert_array_equal(out, frames[key])


def test_segments_that_could_not_be_read_are_not_there(tmp_path):
    folder = shards(tmp_path, {"a": np.ones((2, 4), np.float16)}, [1])
    with ShardWriter(folder.shards, "shard-0000", 1, 4) as writer:
        writer.end_recording("bad")
        writer.append([np.ones((2, 1, 4), np.float32)], np.zeros(2, np.float32))
        writer.end_recording("a")
        writer.finish({"bad": "no sound"})
    assert SegmentFrames.of_shards(folder).ids == ("a",)


def test_a_damaged_array_is_refused(tmp_path):
    folder = shards(tmp_path, spoken(), [24])
    frames = SegmentFrames.of_shards(folder)
    path = folder.shards / "shard-0000.0.npy"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ArtefactError, match="shorter"):
        frames.source.read(0, np.empty((frames.n_frames, 4), np.float32))
    with pytest.raises(ArtefactError, match="shard-0000"):
        SegmentFrames.of_shards(folder)
