import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.audio.encoders.frames.blocks import encode_frames
from ossicle.audio.encoders.settings import EncoderSettings
from ossicle.bundle.encoders.weights import VARIABLE
from ossicle.core.errors import ArtefactError, BundleError, UsageError
from ossicle.models.encoders import hub
from ossicle.models.encoders.hf import HfEncoder
from ossicle.models.encoders.hub import model_digest, model_folder
from ossicle.models.encoders.table import open_torch_encoder, torch_encoder_of_spec

# Of AST's front end, made here to compare with: its lowest mel bands are narrower than a bin.
pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter has all zero values")
transformers = pytest.importorskip("transformers", reason="transformers (extra encoders) is not installed")

DIM, LAYERS = 24, 2
_SMALL = {"hidden_size": DIM, "num_hidden_layers": LAYERS, "num_attention_heads": 2, "intermediate_size": 32}
_OF_WAVEFORMS = {"conv_dim": [8] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
KINDS = ("wav2vec2", "hubert", "wavlm", "audio-spectrogram-transformer")
Made = Callable[..., Path]


def rough(n_samples: int, n: int = 2) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal((n, n_samples))).astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Write a random model with its preprocessor, once for each kind."""
    root = tmp_path_factory.mktemp("models")

    def write(kind: str, normalise: bool = True) -> Path:
        folder = root / f"{kind}-{normalise}"
        if folder.exists():
            return folder
        torch.manual_seed(0)
        if kind == KINDS[-1]:
            config = transformers.AutoConfig.for_model(kind, **_SMALL, max_length=128)
            front = transformers.ASTFeatureExtractor(max_length=128, do_normalize=normalise)
        else:
            config = transformers.AutoConfig.for_model(kind, **_SMALL, **_OF_WAVEFORMS)
            front = transformers.Wav2Vec2FeatureExtractor(do_normalize=normalise)
        front.save_pretrained(folder)
        transformers.AutoModel.from_config(config).save_pretrained(folder)
        return folder

    return write


@pytest.mark.parametrize("kind", KINDS[:3])
def test_models_of_waveforms_give_their_layers(made: Made, kind: str) -> None:
    folder = made(kind)
    waveforms = rough(8000)
    normalised = (waveforms - waveforms.mean(axis=1, keepdims=True)) / np.sqrt(
        waveforms.var(axis=1, keepdims=True) + 1e-7
    )
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        wanted = model(torch.from_numpy(normalised), output_hidden_states=True)
    for layer in (-1, 1, LAYERS):
        encoder = HfEncoder(folder, layer)
        result = encoder.encode(waveforms)
        expected = wanted.last_hidden_state if layer == -1 else wanted.hidden_states[layer]
        np.testing.assert_allclose(result, expected.numpy(), atol=1e-5)
        spec = encoder.spec
        assert (spec.name, spec.rate, spec.dim, spec.layer) == ("hf", 16000, DIM, layer)
        assert (spec.hop_s, spec.origin_s, spec.least_samples) == (0.02, 0.0125, 400)
        assert result.shape == (2, 1 + (8000 - 400) // 320, DIM)
    assert encoder.encode(waveforms[:, :400]).shape == (2, 1, DIM)
    with pytest.raises(ValueError, match="at least 400"):
        encoder.encode(waveforms[:, :399])


def test_waveforms_are_normalised_only_where_the_preprocessor_says_so(made: Made) -> None:
    with_it, without = HfEncoder(made("wavlm")), HfEncoder(made("wavlm", False))
    waveforms = rough(4000)
    np.testing.assert_allclose(with_it.encode(3 * waveforms), with_it.encode(waveforms), atol=1e-4)
    assert float(np.abs(without.encode(3 * waveforms) - without.encode(waveforms)).max()) > 1e-3


def test_patches_of_ast_are_those_in_the_waveform_time_by_time(made: Made) -> None:
    encoder = HfEncoder(made(KINDS[-1]))
    spec = encoder.spec
    assert (spec.rate, spec.hop_s, spec.origin_s, spec.least_samples) == (16000, pytest.approx(0.1), 0.0875, 2800)
    short = rough(8000)
    result = encoder.encode(short)
    # 48 frames hold 4 patches in time, each of 12 in frequency.
    assert result.shape == (2, 4 * 12, DIM)
    model, front = (
        kind.from_pretrained(made(KINDS[-1])) for kind in (transformers.AutoModel, transformers.ASTFeatureExtractor)
    )
    values = front(list(short), sampling_rate=16000, return_tensors="pt")["input_values"]
    with torch.no_grad():
        every = model.eval()(values).last_hidden_state.numpy()[:, 2:]
    for time in range(4):
        for band in range(12):
            np.testing.assert_allclose(result[:, 12 * time + band], every[:, 12 * band + time], atol=1e-5)
    assert encoder.encode(rough(20800)).shape == (2, 12 * 12, DIM)
    with pytest.raises(ValueError, match=r"reads at most 1\.28 s; use shorter windows"):
        encoder.encode(rough(20960))


def test_a_waveform_does_not_depend_on_its_batch(made: Made) -> None:
    encoder = HfEncoder(made("hubert"))
    waveforms = rough(4000, n=11)
    result = encoder.encode(waveforms)
    for row in (0, 8, 10):
        np.testing.assert_allclose(result[row : row + 1], encoder.encode(waveforms[row : row + 1]), atol=1e-5)


def test_opened_by_name_with_its_digest(made: Made) -> None:
    folder = made("hubert")
    settings = EncoderSettings(name="hf", path=folder.name, layer=1)
    encoder = open_torch_encoder(settings, folder.parent)
    assert encoder.spec.sha256 == model_digest(folder)
    with pytest.raises(BundleError, match=r"\[encoder\] sha256"):
        open_torch_encoder(EncoderSettings(name="hf", path=folder.name, sha256="0" * 64), folder.parent)
    with pytest.raises(UsageError, match=r"layer = 3: .* has 2 layers"):
        open_torch_encoder(EncoderSettings(name="hf", path=folder.name, layer=3), folder.parent)
    with pytest.raises(UsageError, match="'onnx' is not one of those that need torch: beats, hf"):
        open_torch_encoder(EncoderSettings(name="onnx", path="a.onnx"), folder)


def test_the_encoder_of_a_model_is_found_by_its_digest(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made("hubert")
    spec = HfEncoder(folder, 1).spec
    monkeypatch.setenv(VARIABLE, str(folder.parent))
    assert torch_encoder_of_spec(spec).spec == spec
    with pytest.raises(BundleError, match="put its folder into a folder"):
        torch_encoder_of_spec(replace(spec, sha256="0" * 64))


def test_models_that_are_not_supported_are_named(tmp_path: Path, made: Made) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(UsageError, match=r"not a folder with config\.json"):
        model_folder("model", tmp_path)
    config = json.loads((made("hubert") / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert model_folder("model", tmp_path) == folder
    with pytest.raises(ArtefactError, match=r"has no preprocessor_config\.json"):
        HfEncoder(folder)
    (folder / "preprocessor_config.json").write_bytes((made("hubert") / "preprocessor_config.json").read_bytes())
    with pytest.raises(ArtefactError, match="'bert' are not supported; use hubert, wav2vec2"):
        HfEncoder(folder)
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ArtefactError, match="not a model that transformers can read"):
        HfEncoder(folder)


def test_code_in_a_folder_does_not_run(tmp_path: Path, made: Made) -> None:
    config: dict[str, Any] = json.loads((made("hubert") / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "preprocessor_config.json").write_bytes((made("hubert") / "preprocessor_config.json").read_bytes())
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(ArtefactError):
        HfEncoder(tmp_path)
    assert not (tmp_path / "ran").exists()
    before = model_digest(tmp_path)
    (tmp_path / "README.md").write_text("words")
    assert model_digest(tmp_path) == before
    (tmp_path / "config.json").write_text("{}")
    assert model_digest(tmp_path) != before


def test_a_name_of_the_hub_is_downloaded_only_where_there_is_no_such_folder(
    tmp_path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_downloaded", lambda name: tmp_path / "cache" / name)
    assert model_folder("owner/model", tmp_path) == tmp_path / "cache" / "owner" / "model"
    (tmp_path / "owner" / "model").mkdir(parents=True)
    (tmp_path / "owner" / "model" / "config.json").touch()
    assert model_folder("owner/model", tmp_path) == tmp_path / "owner" / "model"
    for stated in ("../model", "/no/such", "model", "a/b/c"):
        with pytest.raises(UsageError, match="do not exist"):
            model_folder(stated, tmp_path)


def test_without_a_network_the_message_names_what_a_folder_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_files", offline)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        UsageError, match=r"'no-such-owner/no-such-model' is neither a folder .*no network.*config\.json"
    ):
        model_folder("no-such-owner/no-such-model", tmp_path)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_frames_of_long_stretches_are_encoded_in_blocks(made: Made, kind: str) -> None:
    encoder = HfEncoder(made(kind, False), 1)
    (waveform,) = rough(8 * 16000, 1)
    (whole,) = encode_frames([waveform], encoder)
    assert whole.values.shape == (1 + (len(waveform) - 400) // 320, DIM)
    np.testing.assert_array_equal(whole.values, encoder.encode(waveform[None])[0])
    parts = list(encode_frames(np.array_split(waveform, 7), encoder, block_s=2.0, context_s=1.0))
    assert len(parts) == 3
    values = np.concatenate([part.values for part in parts])
    assert values.shape == whole.values.shape
    # Attention sees other frames, so values differ a little; a shift by one frame would make another sequence of them.
    difference, shifted = np.abs(values - whole.values).mean(), np.abs(values[1:] - whole.values[:-1]).mean()
    assert difference < 0.2 * shifted


def test_encoders_of_patches_have_no_frames(made: Made) -> None:
    encoder = HfEncoder(made(KINDS[-1]))
    with pytest.raises(UsageError, match="one vector a frame"):
        list(encode_frames([rough(16000, 1)[0]], encoder))
