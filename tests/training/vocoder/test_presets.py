import pytest

from ossicle.core.errors import UsageError
from ossicle.models.vocoder.settings import VocoderNetworkSettings
from ossicle.training.vocoder.presets import vocoder_preset, vocoder_preset_names
from ossicle.training.vocoder.settings import VocoderSettings


def test_presets_are_settings_and_the_defaults_are_the_full_one() -> None:
    for name in vocoder_preset_names():
        changed = vocoder_preset(name)
        network = {key: tuple(one) if isinstance(one, list) else one for key, one in changed.pop("network", {}).items()}
        VocoderSettings(preset=name, network=VocoderNetworkSettings(**network), **changed)
    assert not vocoder_preset("full")
    full = VocoderSettings(preset="full")
    assert (full.epochs, full.batch, full.learning_rate, full.draws) == (500, 16, 2e-4, 10000)
    assert (full.patience, full.save_every, full.crop_s, full.gradient_penalty) == (50, 20, 1.0, 0)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'small'"):
        vocoder_preset("smal")


def test_networks_without_layers_are_refused() -> None:
    for name in ("periods", "period_channels", "scale_channels"):
        with pytest.raises(ValueError, match=name):
            VocoderNetworkSettings(**{name: ()})


def test_rates_too_low_for_speech_are_refused() -> None:
    for rate in (1, 50, 4000):
        with pytest.raises(ValueError, match=f"rate = {rate} Hz must be 0 or at least 8000"):
            VocoderSettings(rate=rate)
    assert VocoderSettings(rate=8000).rate == 8000
