import numpy as np
import pytest
import soundfile

from ossicle.artefacts.array_files.blocks import TrackWriter, read_track
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import AudioError, OssicleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.tracks import event_order
from ossicle.inference.batch import predict_file, score_recording, stream_file, write_scores
from ossicle.inference.predictor import FakePredictor

PLAN = ChunkPlan(rate=8000, hop_samples=80, window_samples=256, core_frames=20, context_frames=6)
PREDICTOR = FakePredictor(("low", "high"), PLAN)
DECISIONS = {
    "low": Decision(on=0.6, off=0.4, smoothing="median", smoothing_frames=5, min_gap_s=0.02, min_length_s=0.03),
    "high": Decision(on=0.5, off=0.5),
}


def beeps(path, rate=16000, seconds=12.3, subtype="PCM_16"):
    rng = np.random.default_rng(7)
    samples = rng.normal(size=int(rate * seconds)) * 1e-4
    times = np.arange(0.5, seconds - 0.3, 0.83)
    for index, start in enumerate(times):
        n = int(rate * (0.05 + 0.02 * (index % 4)))
        offset = int(start * rate)
        samples[offset : offset + n] += 0.4 * np.sin(2 * np.pi * (800 if index % 2 else 3000) * np.arange(n) / rate)
    soundfile.write(path, samples, rate, subtype=subtype)
    return times


def test_events_are_where_the_sounds_are(tmp_path):
    times = beeps(tmp_path / "a.wav")
    prediction = predict_file(tmp_path / "a.wav", PREDICTOR, DECISIONS)
    assert prediction.status == "ok"
    assert prediction.end_s == pytest.approx(12.3)
    assert [e.label for e in prediction.events] == ["high" if i % 2 == 0 else "low" for i in range(len(times))]
    np.testing.assert_allclose([e.start_s for e in prediction.events], times, atol=0.025)


@pytest.mark.parametrize("feed_s", [0.02, 0.3, 1.0, 10.0])
@pytest.mark.parametrize("batch_chunks", [1, 8])
def test_stream_and_batch_decide_the_same(tmp_path, feed_s, batch_chunks):
    beeps(tmp_path / "a.flac")
    batch = predict_file(tmp_path / "a.flac", PREDICTOR, DECISIONS, batch_chunks=32)
    stream = list(stream_file(tmp_path / "a.flac", PREDICTOR, DECISIONS, feed_s, batch_chunks))
    streamed = sorted((emitted_event.event for emitted_event in stream), key=event_order)
    assert [(e.start_s, e.end_s, e.label) for e in streamed] == [(e.start_s, e.end_s, e.label) for e in batch.events]
    np.testing.assert_allclose([e.score for e in streamed], [e.score for e in batch.events], atol=1e-6)
    if batch_chunks == 1:
        # Core plus right context plus the decision's delay, and what the feed itself holds back.
        bound = PLAN.latency_s + (1 + 2 + 2) * PLAN.hop_s + feed_s
        assert all(0 < emitted_event.latency_s <= bound + 1e-9 for emitted_event in stream)


def test_scores_in_memory_and_on_disk_are_the_same(tmp_path):
    beeps(tmp_path / "a.wav")
    track, report = score_recording(tmp_path / "a.wav", PREDICTOR, batch_chunks=3)
    with TrackWriter(tmp_path / "track", PREDICTOR.labels, PLAN.hop_s) as sink:
        assert write_scores(tmp_path / "a.wav", PREDICTOR, sink) == report
    stored = read_track(tmp_path / "track")
    assert track.scores.shape == (1230, 2)
    np.testing.assert_allclose(stored.scores, track.scores, atol=1e-6)
    assert stored.duration_s == track.duration_s == pytest.approx(12.3)


def test_a_bad_file_costs_only_itself(tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "empty.wav").write_bytes(b"")
    poisoned = np.zeros(16000, np.float32)
    poisoned[9000] = np.nan
    soundfile.write(tmp_path / "nan.wav", poisoned, 8000, subtype="FLOAT")
    for name in ("text.wav", "empty.wav", "nan.wav", "absent.wav"):
        prediction = predict_file(tmp_path / name, PREDICTOR, DECISIONS)
        assert (prediction.status, prediction.events) == ("left_out", ())
        assert name in prediction.reason
        with pytest.raises(AudioError):
            score_recording(tmp_path / name, PREDICTOR)


def test_a_track_of_a_bad_file_is_absent(tmp_path):
    poisoned = np.zeros(16000, np.float32)
    poisoned[9000] = np.inf
    soundfile.write(tmp_path / "inf.wav", poisoned, 8000, subtype="FLOAT")
    with pytest.raises(AudioError), TrackWriter(tmp_path / "track", PREDICTOR.labels, PLAN.hop_s) as sink:
        write_scores(tmp_path / "inf.wav", PREDICTOR, sink)
    assert [path.name for path in tmp_path.iterdir()] == ["inf.wav"]


def test_silent_partial_and_short_files_are_used(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), 8000)
    silent = predict_file(tmp_path / "silent.wav", PREDICTOR, DECISIONS)
    assert (silent.status, silent.events) == ("silent", ())
    beeps(tmp_path / "whole.wav")
    data = (tmp_path / "whole.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 2])
    cut = predict_file(tmp_path / "cut.wav", PREDICTOR, DECISIONS)
    assert cut.status == "partial"
    assert cut.reason
    assert 5 < cut.end_s < 7
    assert cut.events
    assert max(event.end_s for event in cut.events) <= cut.end_s
    soundfile.write(tmp_path / "short.wav", 0.5 * np.sin(2 * np.pi * 3000 * np.arange(100) / 8000), 8000)
    short = predict_file(tmp_path / "short.wav", PREDICTOR, DECISIONS)
    assert [(e.start_s, e.end_s) for e in short.events] == [(0.0, 0.0125)]


def test_a_feed_shorter_than_a_sample_is_refused(tmp_path):
    beeps(tmp_path / "a.wav")
    with pytest.raises(ValueError, match="feed_s"):
        list(stream_file(tmp_path / "a.wav", PREDICTOR, DECISIONS, 1e-6))


class NanPredictor(FakePredictor):
    """A model whose weights are damaged."""

    def predict(self, chunks):
        return np.full_like(super().predict(chunks), np.nan)


def test_a_model_that_returns_nan_is_reported_with_the_file_and_the_remedy(tmp_path):
    beeps(tmp_path / "a.wav")
    broken = NanPredictor(("low", "high"), PLAN)
    with TrackWriter(tmp_path / "track", broken.labels, PLAN.hop_s) as sink:
        for use in (
            lambda: predict_file(tmp_path / "a.wav", broken, DECISIONS),
            lambda: score_recording(tmp_path / "a.wav", broken),
            lambda: write_scores(tmp_path / "a.wav", broken, sink),
        ):
            with pytest.raises(OssicleError, match=r"a\.wav: the model returned NaN.*copy the bundle again, or train"):
                use()
