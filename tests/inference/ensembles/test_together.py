"""Several models over one decoding give what each gives alone."""

from pathlib import Path

import numpy as np
import pytest

from ossicle.artefacts.array_files.blocks import TrackWriter, read_track
from ossicle.audio.wav import write_wav
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.inference.batch import write_scores
from ossicle.inference.ensembles.together import write_together
from ossicle.inference.predictor import FakePredictor

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=50, context_frames=10)
WIDE = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=7, context_frames=0)


def test_each_model_scores_as_it_would_alone(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).standard_normal(3 * 11025 + 77).astype(np.float32) / 10
    write_wav(tmp_path / "tape.wav", samples, 11025)
    models = [FakePredictor(("a", "b"), PLAN), FakePredictor(("a", "b"), WIDE, threshold_db=-10.0)]
    writers = [TrackWriter(tmp_path / f"together{i}", ("a", "b"), PLAN.hop_s) for i in range(2)]
    with writers[0] as first, writers[1] as second:
        report = write_together(tmp_path / "tape.wav", models, (first, second))
    assert report.end_s == pytest.approx(len(samples) / 11025)
    for i, model in enumerate(models):
        with TrackWriter(tmp_path / f"alone{i}", ("a", "b"), PLAN.hop_s) as alone:
            write_scores(tmp_path / "tape.wav", model, alone)
        score_track, other = read_track(tmp_path / f"alone{i}"), read_track(tmp_path / f"together{i}")
        assert score_track.duration_s == other.duration_s
        np.testing.assert_array_equal(score_track.scores, other.scores)
    assert not np.array_equal(read_track(tmp_path / "alone0").scores, read_track(tmp_path / "alone1").scores)


def test_models_of_several_rates_are_refused(tmp_path: Path) -> None:
    other = ChunkPlan(rate=16000, hop_samples=160, window_samples=512, core_frames=50, context_frames=10)
    for models in ([], [FakePredictor(("a",), PLAN), FakePredictor(("a",), other)]):
        with pytest.raises(ValueError, match="predictors must have the same rate"):
            write_together(tmp_path / "x.wav", models, [])
