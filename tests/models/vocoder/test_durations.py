import numpy as np
import pytest

from ossicle.models.vocoder.durations import DurationModel, PitchModel, relative_pitch

K = 6


def spoken(seed: int, segments: int = 40, slower: float = 1.0) -> tuple[list, list, list]:
    generator = np.random.default_rng(seed)
    runs, frames, speakers = [], [], []
    for _ in range(segments):
        runs.append(generator.integers(K, size=generator.integers(3, 30)))
        speakers.append(int(generator.integers(2)))
        frames.append(1 + generator.poisson(0.4 + 0.5 * runs[-1] * (1 + slower * speakers[-1])))
    return runs, frames, speakers


def test_the_total_is_unbiased() -> None:
    runs, frames, _ = spoken(0, 200, slower=0.0)
    model = DurationModel.fit(runs, frames, [-1] * len(runs), K, 0)
    total = sum(model.durations(run).sum() for run in runs)
    assert total == pytest.approx(sum(frame.sum() for frame in frames), abs=0.5 * len(runs))
    other_runs, other_frames, _ = spoken(1, 200, slower=0.0)
    held_out = sum(model.durations(other_run).sum() for other_run in other_runs)
    assert held_out == pytest.approx(sum(other_frame.sum() for other_frame in other_frames), rel=0.03)


def test_each_run_lasts_and_slow_speakers_last_longer() -> None:
    runs, frames, speakers = spoken(0)
    model = DurationModel.fit(runs, frames, speakers, K, 2)
    assert min(model.durations(run).min() for run in runs) >= 1
    fast, slow = (
        sum(model.durations(run, number).sum() for run in runs) / sum(len(run) for run in runs) for number in (0, 1)
    )
    assert slow > 1.2 * fast
    assert len(model.durations(np.zeros(0, np.int64))) == 0


def test_units_that_were_never_heard_last_as_long_as_the_mean() -> None:
    model = DurationModel.fit([np.array([0, 1])], [np.array([4, 4])], [-1], 3, 0)
    assert model.frames.tolist() == pytest.approx([4.0, 4.0, 4.0])


def test_speakers_that_trained_nothing_have_a_pace_of_their_own() -> None:
    """The quantiser hears them with more changes of unit: means of training speech make them too slow."""
    runs, frames, _ = spoken(0, slower=0.0)
    model = DurationModel.fit(runs, frames, [0] * len(runs), K, 1)
    flickering = [np.maximum(frame // 2, 1) for frame in frames]
    adapted = model.for_unknown(runs, flickering)
    total = sum(one.sum() for one in flickering)
    assert sum(adapted.durations(run).sum() for run in runs) == pytest.approx(total, rel=0.03)
    assert sum(model.durations(run).sum() for run in runs) > 1.3 * total
    np.testing.assert_array_equal(adapted.durations(runs[0], 0), model.durations(runs[0], 0))
    assert model.for_unknown([], []).unknown == 1.0


def test_pitch_follows_units_and_speaker() -> None:
    units = [np.tile([0, 0, 0, 1, 1, 1], 20)] * 2
    f0 = [np.where(units[0] == 0, base, 0.0).astype(np.float32) for base in (100.0, 200.0)]
    model = PitchModel.fit(units, f0, [0, 1], 2, 2)
    contour = model.contour(np.repeat([0, 1, 0], 9), 1)
    assert contour[:7] == pytest.approx(200.0, rel=0.02)
    assert not contour[11:16].any()
    assert model.contour(np.zeros(9, np.int64))[4] == pytest.approx(np.sqrt(100 * 200), rel=0.02)
    assert len(model.contour(np.zeros(0, np.int64))) == 0


def test_pitch_relative_to_the_speaker_or_to_itself() -> None:
    f0 = np.array([0.0, 100.0, 200.0])
    own = relative_pitch(f0, None)
    assert own[:, 0].tolist() == pytest.approx([0.0, -np.log(2) / 2, np.log(2) / 2])
    assert own[:, 1].tolist() == [0.0, 1.0, 1.0]
    assert relative_pitch(f0, np.log(100.0))[1, 0] == pytest.approx(0.0)
    assert not relative_pitch(np.zeros(3), None).any()
