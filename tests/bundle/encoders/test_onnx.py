import hashlib

import numpy as np
import pytest

from ossicle.bundle.encoders.onnx import OnnxEncoder
from ossicle.core.errors import BundleError, UsageError

from .conftest import WEIGHTS, encoder_graph

WAVES = (0.1 * np.random.default_rng(1).standard_normal((3, 1600))).astype(np.float32)
TOKENS = WAVES.reshape(3, 10, 160) @ WEIGHTS


def test_tokens_are_those_of_the_graph_by_hand(save):
    path = save(encoder_graph())
    encoder = OnnxEncoder(path)
    np.testing.assert_allclose(encoder.encode(WAVES), TOKENS, atol=1e-5)
    spec = encoder.spec
    assert (spec.name, spec.rate, spec.dim, spec.window_samples) == ("onnx", 16000, 4, 0)
    assert spec.hop_s == pytest.approx(0.01)
    assert spec.origin_s == pytest.approx(0.005)
    assert spec.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_one_embedding_a_waveform_is_one_token(save):
    encoder = OnnxEncoder(save(encoder_graph(pooled=True)))
    np.testing.assert_allclose(encoder.encode(WAVES), TOKENS.mean(axis=1, keepdims=True), atol=1e-5)
    assert encoder.spec.one_token


def test_a_fixed_length_and_batch_are_kept_to(save):
    encoder = OnnxEncoder(save(encoder_graph((2, 1600))))
    assert encoder.spec.window_samples == 1600
    assert encoder.spec.hop_s == pytest.approx(0.01)
    np.testing.assert_allclose(encoder.encode(WAVES), TOKENS, atol=1e-5)
    with pytest.raises(ValueError, match="needs 1600"):
        encoder.encode(WAVES[:, :1440])


def test_batches_and_threads_agree(save):
    path = save(encoder_graph())
    whole = OnnxEncoder(path).encode(WAVES)
    one_by_one = np.concatenate([OnnxEncoder(path, threads=2).encode(one[None]) for one in WAVES])
    np.testing.assert_allclose(one_by_one, whole, atol=1e-6)


def test_metadata_complete_the_description(save):
    metadata = {"sample_rate": "48000", "hop_s": "0.02", "origin_s": "0.0125", "licence": "CC0"}
    spec = OnnxEncoder(save(encoder_graph(), metadata)).spec
    assert (spec.rate, spec.hop_s, spec.origin_s, spec.licence) == (48000, 0.02, 0.0125, "CC0")


def test_a_rate_that_nobody_states_is_asked_for(save):
    path = save(encoder_graph(), {})
    with pytest.raises(UsageError, match=r"encoder\.onnx.*\[encoder\] rate"):
        OnnxEncoder(path)
    assert OnnxEncoder(path, rate=32000).spec.rate == 32000


@pytest.mark.parametrize(("key", "value"), [("hop_s", "-1"), ("hop_s", "nan"), ("origin_s", "soon")])
def test_metadata_that_mean_nothing_are_named(save, key, value):
    with pytest.raises(BundleError, match=key):
        OnnxEncoder(save(encoder_graph(), {"sample_rate": "16000", key: value}))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (encoder_graph(("batch", 1, "samples")), "one input"),
        (encoder_graph(output=("b", "t", "d", 1)), "no output"),
        (encoder_graph(("batch", 1601)), "cannot be loaded"),
    ],
)
def test_a_graph_that_is_no_encoder_is_refused_by_name(save, graph, message):
    with pytest.raises(BundleError, match=rf"encoder\.onnx.*{message}"):
        OnnxEncoder(save(graph))


def test_a_length_that_the_graph_cannot_read_is_named(save):
    encoder = OnnxEncoder(save(encoder_graph()))
    with pytest.raises(BundleError, match=r"encoder\.onnx fails on waveforms of shape \(1, 1601\)"):
        encoder.encode(np.zeros((1, 1601), np.float32))


def test_values_that_are_no_numbers_are_refused(save):
    encoder = OnnxEncoder(save(encoder_graph()))
    with pytest.raises(BundleError, match="NaN"):
        encoder.encode(np.full((1, 1600), np.nan, np.float32))


def test_other_files_and_libraries_are_refused(tmp_path, save):
    graph = encoder_graph()
    graph.graph.initializer[0].data_location = 1
    with pytest.raises(BundleError, match="external data"):
        OnnxEncoder(save(graph))
    graph = encoder_graph()
    graph.graph.node[1].domain = "evil"
    with pytest.raises(BundleError, match="evil"):
        OnnxEncoder(save(graph))
    (tmp_path / "no.onnx").write_bytes(b"no graph")
    with pytest.raises(BundleError, match=r"no\.onnx"):
        OnnxEncoder(tmp_path / "no.onnx")
    with pytest.raises(UsageError, match=r"none\.onnx"):
        OnnxEncoder(tmp_path / "none.onnx")
