import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ossicle.artefacts.typed.units.vocoder import VocoderFolder
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.models.vocoder import vocoder as vocoder_module
from ossicle.models.vocoder.durations import DurationModel, PitchModel
from ossicle.models.vocoder.network import VocoderNetwork, VocoderSpec
from ossicle.models.vocoder.settings import VocoderNetworkSettings
from ossicle.models.vocoder.vocoder import Vocoder

SIZES = VocoderNetworkSettings(width=8, unit_blocks=1, frame_blocks=1, expansion=1, frames_per_unit=2)
SPEC = VocoderSpec(5, "ab" * 32, 0.02, 0.0125, 8000, True, ("ada", "bo"), SIZES)


def made(spec: VocoderSpec = SPEC) -> Vocoder:
    torch.manual_seed(0)
    network = VocoderNetwork(spec)
    speakers = len(spec.speakers)
    network.set_models(
        DurationModel(np.arange(1.0, 6.0), np.ones(speakers)),
        PitchModel(np.zeros(5), np.array([0.9, 0.9, 0.9, 0.1, 0.1]), np.log([100.0, 200.0])[:speakers], np.log(140.0)),
    )
    with torch.no_grad():
        network.generator.head.bias[: network.generator.bins] = 2.0
    return Vocoder(spec, network, {"epoch": 3})


def spoken(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    units = np.random.default_rng(0).integers(5, size=n)
    f0 = np.where(np.arange(n) % 10 < 8, 120 + np.arange(n) % 7, 0).astype(np.float32)
    return units, f0


def test_a_saved_vocoder_makes_the_same_sound_and_equal_ones_give_equal_bytes(tmp_path: Path) -> None:
    first = made()
    for name in "ab":
        first.save(tmp_path / name)
    for file in ("vocoder.json", "vocoder.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    second = Vocoder.read(tmp_path / "a")
    assert Vocoder.read(tmp_path / "a" / "vocoder.json").spec == second.spec == SPEC
    assert second.about == {"epoch": 3}
    units, f0 = spoken()
    sound = first.synthesise(units, f0, "ada")
    assert (sound.dtype, sound.shape) == (np.float32, (40 * 160,))
    np.testing.assert_array_equal(second.synthesise(units, f0, "ada"), sound)
    assert not np.array_equal(second.synthesise(units, f0, "ada", seed=1), sound)


@pytest.mark.parametrize("block", [7, 16, 39])
def test_blocks_of_a_long_sound_have_no_seams(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    units, f0 = spoken(120)
    whole = made().synthesise(units, f0, "bo")
    monkeypatch.setattr(vocoder_module, "_BLOCK_UNITS", block)
    np.testing.assert_allclose(made().synthesise(units, f0, "bo"), whole, rtol=0, atol=1e-6 * np.abs(whole).max())


def test_pitch_and_speaker_change_the_sound_and_no_pitch_takes_that_of_units() -> None:
    vocoder = made()
    units, f0 = spoken()
    sound = vocoder.synthesise(units, f0, "ada")
    for other in (
        vocoder.synthesise(units, 1.19 * f0, "ada"),
        vocoder.synthesise(units, f0, "bo"),
        vocoder.synthesise(units, f0),
    ):
        assert np.abs(other - sound).max() > 1e-3
    np.testing.assert_array_equal(
        vocoder.synthesise(units, speaker="bo"), vocoder.synthesise(units, vocoder.f0(units, "bo"), "bo")
    )
    assert vocoder.f0(np.zeros(20, np.int64), "bo")[10] == pytest.approx(200.0, rel=1e-3)
    assert not vocoder.f0(np.full(20, 4), "bo").any()


def test_a_vocoder_without_pitch_or_speakers() -> None:
    plain = made(replace(SPEC, pitch=False, speakers=()))
    units, f0 = spoken(3)
    assert plain.synthesise(units).shape == (480,)
    assert not plain.f0(units).any()
    with pytest.raises(UsageError, match="without pitch"):
        plain.synthesise(units, f0)
    with pytest.raises(UsageError, match="no speakers"):
        plain.synthesise(units, speaker="ada")


def test_durations_of_runs() -> None:
    vocoder = made()
    assert vocoder.durations(np.array([0, 4, 2])).tolist() == [1, 5, 3]
    runs = np.array([3, 1, 0])
    assert vocoder.synthesise(np.repeat(runs, vocoder.durations(runs))).shape == ((4 + 2 + 1) * 160,)


def test_what_does_not_fit_is_refused_by_name() -> None:
    vocoder = made()
    units, f0 = spoken()
    with pytest.raises(UsageError, match="did you mean 'ada'"):
        vocoder.synthesise(units, f0, "adda")
    with pytest.raises(UsageError, match="units from 0 to 4"):
        vocoder.synthesise(units + 1, f0)
    with pytest.raises(UsageError, match="39"):
        vocoder.synthesise(units, f0[:39])
    with pytest.raises(UsageError, match="whole numbers"):
        vocoder.synthesise(units.astype(float), f0)
    assert vocoder.synthesise(np.zeros(0, np.int64)).shape == (0,)


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a vocoder"):
        Vocoder.read(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", 9), ("k", 6), ("k", "5"), ("k", 10**9), ("hop_s", 0.0201), ("rate", -1), ("rate", 1000),
     ("hop_s", 1.0), ("hop_s", 10**400), ("speakers", ["ada", "ada"]),
     ("speakers", [1, 2]), ("network", {"width": 1 << 20}), ("network", {"width": "8"}), ("network", 3),
     ("network", {"width": 8, "frames_per_unit": 3}),
     ("weights", "0"), ("pitch", "yes"), ("about", 1)],
)  # fmt: skip
def test_a_description_that_is_not_true_is_refused(tmp_path: Path, key: str, value: object) -> None:
    made().save(tmp_path)
    place = VocoderFolder(tmp_path)
    place.write_description({**json.loads(place.description_file.read_text()), key: value})
    with pytest.raises(ArtefactError, match=r"vocoder\.(json|safetensors)"):
        Vocoder.read(tmp_path)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    made().save(tmp_path)
    weights = VocoderFolder(tmp_path).weights_file
    whole = bytearray(weights.read_bytes())
    whole[-3] ^= 0x40
    weights.write_bytes(bytes(whole))
    with pytest.raises(ArtefactError, match="checksum"):
        Vocoder.read(tmp_path)
    weights.write_bytes(whole[:100])
    with pytest.raises(ArtefactError, match="safetensors"):
        Vocoder.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("frames", 1e12), ("frames", 0.0), ("slowness", 1e9), ("unknown", -1.0), ("relative", 1e3), ("voicing", 2.0),
     ("mean_log_f0", 800.0), ("overall", np.nan), ("generator.head.bias", np.inf)],
)  # fmt: skip
def test_weights_that_no_training_gives_are_refused(tmp_path: Path, name: str, value: float) -> None:
    """Runs of a million years would fill the memory, and values that are not finite are no sound."""
    vocoder = made()
    vocoder._network.state_dict()[name].fill_(value)
    vocoder.save(tmp_path)
    fault = "has values" if np.isfinite(value) else "holds NaN or Inf"
    with pytest.raises(ArtefactError, match=rf"vocoder\.safetensors: {name} {fault}"):
        Vocoder.read(tmp_path)


def test_a_sound_that_is_not_finite_is_an_error() -> None:
    vocoder = made()
    with torch.no_grad():
        vocoder._network.generator.units.weight.fill_(3e38)
    with pytest.raises(ArtefactError, match="values that are no sound"):
        vocoder.synthesise(*spoken())
