"""The one path with a real graph: log-mel, runtime, scorer, decider; any feed and batch size (invariant 4)."""

import numpy as np
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper

from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.bundle.runtimes.openvino_runtime import OpenVinoPredictor
from ossicle.core.decisions.decision import Decision
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.tracks import event_order
from ossicle.inference.batch import predict_file, stream_file
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer

PLAN = ChunkPlan(rate=16000, hop_samples=160, window_samples=512, core_frames=50, context_frames=10)
FRONT = FrontEndSettings(rate=16000, n_fft=512, hop_samples=160, n_mels=32, fmin_hz=50.0, fmax_hz=8000.0)
DECISIONS = {"call": Decision(on=0.5, off=0.25, smoothing="median", smoothing_frames=3, min_gap_s=0.02)}


def graph():
    """A convolution over time and mel bands, then a sigmoid of the core: each score sees five frames."""
    kernel = np.zeros((1, 32, 5), np.float32)
    kernel[0, 10:18] = 0.02
    constants = {
        "kernel": kernel,
        "bias": np.array([0.02 * 5 * 690], np.float32),
        "starts": np.array([PLAN.context_frames], np.int64),
        "ends": np.array([PLAN.context_frames + PLAN.core_frames], np.int64),
        "axes": np.array([1], np.int64),
    }
    made = helper.make_graph(
        [
            helper.make_node("Transpose", ["log_mel"], ["bands"], perm=[0, 2, 1]),
            helper.make_node("Conv", ["bands", "kernel", "bias"], ["level"], pads=[2, 2]),
            helper.make_node("Transpose", ["level"], ["frames"], perm=[0, 2, 1]),
            helper.make_node("Slice", ["frames", "starts", "ends", "axes"], ["core"]),
            helper.make_node("Sigmoid", ["core"], ["scores"]),
        ],
        "conv",
        [helper.make_tensor_value_info("log_mel", TensorProto.FLOAT, ["batch", PLAN.chunk_frames, 32])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", PLAN.core_frames, 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


@pytest.fixture(scope="module", params=[OnnxPredictor, OpenVinoPredictor])
def predictor(request, tmp_path_factory) -> Predictor:
    bundle = write_bundle(
        tmp_path_factory.mktemp("bundle") / "b",
        BundleDescription(
            name="conv",
            labels=("call",),
            plan=PLAN,
            front=FRONT,
            decisions=DECISIONS,
        ),
        files={"model.onnx": graph()},
    )
    return request.param(bundle, threads=1)


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    rng = np.random.default_rng(2)
    samples = rng.normal(size=16000 * 21 + 77) * 1e-3
    starts = np.arange(0.31, 20, 0.77)
    for start in starts:
        offset, n = int(start * 16000), int(16000 * rng.uniform(0.06, 0.2))
        samples[offset : offset + n] += 0.3 * np.sin(2 * np.pi * rng.uniform(1200, 1600) * np.arange(n) / 16000)
    path = tmp_path_factory.mktemp("tape") / "t.wav"
    soundfile.write(path, samples, 16000)
    return path, starts


def test_the_fixture_has_its_events(predictor, tape):
    path, starts = tape
    prediction = predict_file(path, predictor, DECISIONS)
    np.testing.assert_allclose([event.start_s for event in prediction.events], starts, atol=0.06)


@pytest.mark.parametrize("feed_s", [0.02, 0.25, 1.0, 10.0])
@pytest.mark.parametrize("batch", [1, 8, 32])
def test_scores_agree_for_any_feed_and_batch(predictor, tape, feed_s, batch):
    samples = soundfile.read(tape[0], dtype="float32")[0]
    whole = Scorer(predictor, 8)
    expected = np.concatenate([whole.feed(samples), whole.finish()])
    scorer, n = Scorer(predictor, batch), round(feed_s * 16000)
    blocks = [scorer.feed(samples[start : start + n]) for start in range(0, len(samples), n)] + [scorer.finish()]
    np.testing.assert_allclose(np.concatenate(blocks), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("feed_s", [0.02, 0.25, 1.0, 10.0])
def test_stream_events_are_batch_events(predictor, tape, feed_s):
    batch = predict_file(tape[0], predictor, DECISIONS, batch_chunks=32)
    stream = sorted(
        (emitted_event.event for emitted_event in stream_file(tape[0], predictor, DECISIONS, feed_s)), key=event_order
    )
    assert len(batch.events) > 20
    assert [(e.start_s, e.end_s, e.label) for e in stream] == [(e.start_s, e.end_s, e.label) for e in batch.events]
