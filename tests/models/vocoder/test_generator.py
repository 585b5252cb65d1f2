import pytest
import torch

from ossicle.core.errors import UsageError
from ossicle.models.vocoder.generator import PADDING, UNKNOWN, VocoderGenerator
from ossicle.models.vocoder.settings import VocoderNetworkSettings

SMALL = VocoderNetworkSettings(width=8, unit_blocks=1, frame_blocks=1, expansion=1, frames_per_unit=2)
HOP = 160


def made(pitch: bool = True, speakers: int = 2, settings: VocoderNetworkSettings = SMALL) -> VocoderGenerator:
    torch.manual_seed(0)
    return VocoderGenerator(5, HOP, pitch, speakers, settings).eval()


def given(n: int, batch: int = 1) -> list[torch.Tensor]:
    torch.manual_seed(1)
    units = torch.randint(0, 5, (batch, n))
    return [units, torch.randn(batch, n, 2), torch.zeros(batch, dtype=torch.int64), torch.randn(batch, 2, n * HOP)]


@pytest.mark.parametrize(("pitch", "speakers"), [(True, 2), (False, 0)])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_samples_are_units_times_hop_exactly(pitch: bool, speakers: int, n: int) -> None:
    sound = made(pitch, speakers)(*given(n, 3))
    assert sound.shape == (3, n * HOP)
    assert torch.isfinite(sound).all()


def test_short_rows_are_masked_and_never_filled_with_a_unit() -> None:
    network = made()
    units, pitch, speaker, sources = given(9)
    alone = network(units[:, :6], pitch[:, :6], speaker, sources[..., : 6 * HOP])
    units[:, 6:] = PADDING
    sources[..., 6 * HOP :] = 0
    padded = network(units, pitch, speaker, sources)
    torch.testing.assert_close(padded[:, : 6 * HOP], alone, rtol=0, atol=1e-6)
    assert not padded[:, 6 * HOP :].any()
    # Unit 0 is a unit like all others: in the place of padding it is heard.
    units[:, 6:] = 0
    assert network(units, pitch, speaker, sources)[:, 6 * HOP :].any()


def test_pitch_speaker_and_units_change_the_sound_and_an_unknown_speaker_is_the_mean() -> None:
    network = made()
    units, pitch, speaker, sources = given(6)
    first = network(units, pitch, speaker, sources)
    assert not torch.allclose(network(units, pitch, speaker + 1, sources), first)
    assert not torch.allclose(network(units, -pitch, speaker, sources), first)
    assert not torch.allclose(network((units + 1) % 5, pitch, speaker, sources), first)
    unknown = network(units, pitch, torch.tensor([UNKNOWN]), sources)
    with torch.no_grad():
        assert network.speakers is not None
        network.speakers.weight[:] = network.speakers.weight.mean(dim=0)
    torch.testing.assert_close(network(units, pitch, speaker, sources), unknown)


def test_filters_that_pass_everything_give_the_harmonics_back() -> None:
    network = made()
    units, pitch, speaker, sources = given(8)
    with torch.no_grad():
        network.head.weight.zero_()
        bins = network.bins
        network.head.bias[:bins] = 3.0
        network.head.bias[bins : 2 * bins] = 0.0
        network.head.bias[2 * bins :] = -50.0
    torch.testing.assert_close(network(units, pitch, speaker, sources), sources[:, 0], rtol=0, atol=1e-4)


def test_what_is_beyond_the_context_changes_nothing() -> None:
    network = made()
    n = 2 * network.context_units + 5
    units, pitch, speaker, sources = given(n)
    first = network(units, pitch, speaker, sources)
    units[:, -1] = (units[:, -1] + 1) % 5
    sources[..., -HOP:] = 0
    changed = (network(units, pitch, speaker, sources) - first).abs()
    still = (n - 1 - network.context_units) * HOP
    assert changed[:, :still].max() < 1e-6
    assert changed[:, -HOP:].max() > 1e-3


def test_a_unit_that_is_no_whole_number_of_frames_is_refused() -> None:
    with pytest.raises(UsageError, match="frames_per_unit = 3"):
        made(settings=VocoderNetworkSettings(width=8, frames_per_unit=3))
