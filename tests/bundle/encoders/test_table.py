import os
from dataclasses import replace

import numpy as np
import pytest

from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.audio.encoders.settings import EncoderSettings
from ossicle.bundle.encoders.table import encoder_of_spec, open_encoder
from ossicle.bundle.encoders.weights import VARIABLE, find_weights, weights_digest
from ossicle.core.errors import BundleError, UsageError

from .conftest import encoder_graph

WAVES = (0.1 * np.random.default_rng(1).standard_normal((2, 16000))).astype(np.float32)


@pytest.fixture(autouse=True)
def no_folders(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def test_each_encoder_without_torch_opens_by_name(tmp_path, save):
    save(encoder_graph())
    for settings in (EncoderSettings(name="acoustic"), EncoderSettings(name="onnx", path="encoder.onnx")):
        encoder = open_encoder(settings, tmp_path)
        result = encoder.encode(WAVES)
        assert encoder.spec.name == settings.name
        assert (result.shape[0], result.shape[2], result.dtype) == (2, encoder.spec.dim, np.float32)
        assert (result.shape[1] == 1) == encoder.spec.one_token


def test_an_encoder_that_needs_torch_is_named(tmp_path):
    with pytest.raises(UsageError, match="beats"):
        open_encoder(EncoderSettings(name="beats", path="b.pt"), tmp_path)


def test_weights_are_found_beside_the_project_first_and_then_in_the_folders(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    for folder in ("first", "second"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        (tmp_path / folder / "sub" / "a.onnx").write_bytes(folder.encode())
    with pytest.raises(UsageError, match=f"{VARIABLE} to that folder") as raised:
        find_weights("sub/a.onnx", tmp_path / "project")
    assert str(tmp_path / "project" / "sub" / "a.onnx") in str(raised.value)
    monkeypatch.setenv(VARIABLE, os.pathsep.join(["", str(tmp_path / "first"), str(tmp_path / "second")]))
    assert find_weights("sub/a.onnx", tmp_path / "project") == tmp_path / "first" / "sub" / "a.onnx"
    (tmp_path / "project" / "sub").mkdir()
    (tmp_path / "project" / "sub" / "a.onnx").write_bytes(b"own")
    assert find_weights("sub/a.onnx", tmp_path / "project").read_bytes() == b"own"


def test_the_stated_digest_is_checked(tmp_path, save):
    digest = weights_digest(save(encoder_graph()))
    open_encoder(EncoderSettings(name="onnx", path="encoder.onnx", sha256=digest.upper()), tmp_path)
    with pytest.raises(BundleError, match=r"encoder\.onnx is not the encoder that \[encoder\] sha256 needs"):
        open_encoder(EncoderSettings(name="onnx", path="encoder.onnx", sha256="0" * 64), tmp_path)


def test_the_digest_of_a_folder_is_that_of_its_files(tmp_path):
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "config.json").write_text("{}")
    before = weights_digest(tmp_path / "hf")
    (tmp_path / "hf" / "config.json").write_text("[]")
    assert weights_digest(tmp_path / "hf") != before
    with pytest.raises(UsageError, match="nothing"):
        weights_digest(tmp_path / "nothing")


def test_a_changed_file_is_read_again(tmp_path):
    file = tmp_path / "a.onnx"
    file.write_bytes(b"one")
    before = weights_digest(file)
    file.write_bytes(b"other")
    assert weights_digest(file) != before


def test_the_encoder_of_a_model_is_opened_by_its_description(tmp_path, save, monkeypatch):
    assert isinstance(encoder_of_spec(AcousticEncoder.spec), AcousticEncoder)
    path = save(encoder_graph())
    spec = open_encoder(EncoderSettings(name="onnx", path="encoder.onnx"), tmp_path).spec
    with pytest.raises(BundleError, match=rf"{spec.sha256}.*set {VARIABLE}"):
        encoder_of_spec(spec)
    assert encoder_of_spec(spec, path).spec == spec
    (tmp_path / "store" / "deep").mkdir(parents=True)
    path.rename(tmp_path / "store" / "deep" / "renamed.onnx")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "store"))
    assert encoder_of_spec(spec).spec == spec


def test_another_encoder_is_refused_by_what_differs(tmp_path, save):
    path = save(encoder_graph())
    spec = open_encoder(EncoderSettings(name="onnx", path="encoder.onnx"), tmp_path).spec
    other = save(encoder_graph(pooled=True), name="other.onnx")
    with pytest.raises(BundleError, match=r"other\.onnx.*sha256"):
        encoder_of_spec(spec, other)
    version = AcousticEncoder.spec.version
    with pytest.raises(BundleError, match=f"version = {version} instead of {version + 1}"):
        encoder_of_spec(replace(AcousticEncoder.spec, version=version + 1))
    assert encoder_of_spec(replace(spec, licence="MIT"), path).spec == spec
