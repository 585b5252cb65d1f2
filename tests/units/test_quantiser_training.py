import numpy as np
import pytest

from ossicle.core.errors import UsageError
from ossicle.units.frames import SegmentFrames
from ossicle.units.kmeans.settings import QuantiserSettings
from ossicle.units.normalisation import NORMALISATIONS
from ossicle.units.normalised import group_statistics
from ossicle.units.quantiser_training import held_out_segments, inertia_of, train_quantiser

from .speech import SPEC, groups, shards, spoken

SETTINGS = QuantiserSettings(k=6, held_out=0.25)


def frames() -> SegmentFrames:
    return SegmentFrames.of_arrays(spoken(), groups(spoken()))


def trained(some: SegmentFrames | None = None, settings: QuantiserSettings = SETTINGS, **more: object):
    return train_quantiser(some or frames(), settings, SPEC, SPEC.hop_s, SPEC.origin_s, **more)


@pytest.mark.parametrize("kind", NORMALISATIONS)
def test_shards_of_any_size_and_threads_give_the_same_bytes(tmp_path, kind):
    settings = QuantiserSettings(k=6, normalisation=kind)
    result = [trained(settings=settings), trained(settings=settings, threads=3)]
    for number, sizes in enumerate(([24], [1, 9, 0, 14])):
        folder = shards(tmp_path / str(number), spoken(), sizes)
        result.append(trained(SegmentFrames.of_shards(folder, groups(spoken())), settings))
    for number, one in enumerate(result):
        one.save(tmp_path / f"q{number}")
    files = [
        [(tmp_path / f"q{number}" / name).read_bytes() for name in ("quantiser.json", "quantiser.npz")]
        for number in range(4)
    ]
    assert all(file == files[0] for file in files)


def test_speakers_that_differ_share_their_units_when_each_is_normalised():
    truth = {kind: trained(settings=QuantiserSettings(k=6, normalisation=kind)) for kind in ("group", "none")}
    assert truth["group"].fit.inertia < 0.2
    own = group_statistics(frames())
    used = {kind: [set(), set(), set()] for kind in truth}
    for key, values in spoken().items():
        group = groups(spoken())[key]
        for kind, one in truth.items():
            used[kind][int(group[1])] |= set(one.assign(values, own[group]).tolist())
    shared = {kind: len(set.intersection(*sets)) for kind, sets in used.items()}
    assert shared["group"] == 6
    assert shared["none"] < 6


def test_the_fit_says_how_well_frames_are_represented_that_it_did_not_see():
    result = trained()
    out = held_out_segments(frames().ids, 0.25, 0)
    assert result.fit.held_out_frames == frames().only(out).n_frames
    assert result.fit.frames + result.fit.held_out_frames == frames().n_frames
    own = group_statistics(frames())
    held = frames().only(out)
    distances = []
    for key, group in zip(held.ids, held.groups, strict=True):
        normal = result.normalisation.apply(spoken()[key].astype(np.float32), own[group]).astype(float)
        distances += np.square(normal[:, None] - result.centres).sum(axis=2).min(axis=1).tolist()
    assert result.fit.held_out_inertia == pytest.approx(np.mean(distances), rel=1e-6)
    assert inertia_of(result, held, own) == pytest.approx(np.mean(distances), rel=1e-6)
    assert sum(result.fit.usage) == pytest.approx(1)


def test_without_held_out_recordings_all_frames_are_used():
    result = trained(settings=QuantiserSettings(k=6, held_out=0.0))
    assert result.fit.frames == frames().n_frames
    assert result.fit.held_out_inertia is None


def test_another_number_of_units_may_be_asked_for():
    assert trained(k=3).k == 3
    assert trained(k=3).fit.inertia > trained().fit.inertia


def test_recordings_are_held_out_whole_and_by_name():
    ids = tuple(f"r{number // 3}#{number % 3}" for number in range(60))
    out = held_out_segments(ids, 0.1, 0)
    assert out.sum() == 6
    assert len({one[:-2] for one, held in zip(ids, out, strict=True) if held}) == 2
    # Whatever else is in the corpus, in whatever order.
    turned = held_out_segments(ids[::-1], 0.1, 0)
    assert turned[::-1].tolist() == out.tolist()
    assert held_out_segments(ids, 0.1, 1).tolist() != out.tolist()


def test_of_few_recordings_single_segments_are_held_out_and_of_few_segments_none():
    assert held_out_segments(tuple(f"r0#{number}" for number in range(40)), 0.1, 0).sum() == 4
    assert held_out_segments(tuple(f"r0#{number}" for number in range(6)), 0.1, 0).sum() == 1
    assert held_out_segments(("r0#0", "r0#1"), 0.5, 0).sum() == 0
    assert held_out_segments(tuple(f"r0#{number}" for number in range(6)), 0.0, 0).sum() == 0


def test_more_units_than_frames_are_refused():
    with pytest.raises(UsageError, match="set a lower k"):
        trained(settings=QuantiserSettings(k=4000))
