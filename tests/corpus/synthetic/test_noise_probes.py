import numpy as np
import pytest
from scipy import signal

from ossicle.corpus.synthetic.noise_probes import HUM_DB, MAINS_HZ, SPEECH_DB, WHITE_DB, speech_like, synthetic_probes

RATE = 16000


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.fixture(scope="module")
def probes() -> dict[tuple[str, str], np.ndarray]:
    return {(probe.name, probe.part): probe.samples for probe in synthetic_probes(RATE, 4.0, 0)}


def test_every_kind_at_every_level_and_nothing_else(probes: dict[tuple[str, str], np.ndarray]) -> None:
    wanted = [("silence", "all zeros")]
    wanted += [("white_noise", f"{level:g} dBFS") for level in WHITE_DB]
    wanted += [("hum", f"{hz:g} Hz at {level:g} dBFS") for hz in MAINS_HZ for level in HUM_DB]
    wanted += [("speech_like", f"{level:g} dBFS") for level in SPEECH_DB]
    assert list(probes) == wanted
    for samples in probes.values():
        assert samples.dtype == np.float32
        assert samples.shape == (4 * RATE,)
        assert np.abs(samples).max() <= 1.0


def test_silence_is_zero_and_the_others_have_their_level(probes: dict[tuple[str, str], np.ndarray]) -> None:
    assert not probes["silence", "all zeros"].any()
    for (name, part), samples in probes.items():
        if name != "silence":
            stated = float(part.rpartition("at ")[2].removesuffix(" dBFS"))
            assert level_db(samples) == pytest.approx(stated, abs=0.5), (name, part)


def test_a_seed_gives_the_same_samples_and_another_does_not(probes: dict[tuple[str, str], np.ndarray]) -> None:
    again = {(probe.name, probe.part): probe.samples for probe in synthetic_probes(RATE, 4.0, 0)}
    other = {(probe.name, probe.part): probe.samples for probe in synthetic_probes(RATE, 4.0, 1)}
    assert all(np.array_equal(again[key], samples) for key, samples in probes.items())
    assert all(not np.array_equal(other[key], samples) for key, samples in probes.items() if key[0] != "silence")


@pytest.mark.parametrize("mains_hz", MAINS_HZ)
@pytest.mark.parametrize("rate", [RATE, 1000])
def test_hum_lies_on_the_mains_and_its_harmonics(mains_hz: float, rate: int) -> None:
    part = f"{mains_hz:g} Hz at -30 dBFS"
    (samples,) = (probe.samples for probe in synthetic_probes(rate, 4.0, 0) if probe.part == part)
    power = np.abs(np.fft.rfft(samples)) ** 2
    bins_hz = np.fft.rfftfreq(len(samples), 1 / rate)
    on_harmonic = np.isclose(bins_hz % mains_hz, 0) & (bins_hz > 0)
    assert power[on_harmonic].sum() > 0.99 * power.sum()
    assert bins_hz[power.argmax()] == mains_hz


def test_speech_like_noise_has_the_spectrum_and_the_rhythm_of_speech() -> None:
    wave = speech_like(60 * RATE, RATE, np.random.default_rng(0))
    bins_hz, power = signal.welch(wave, RATE, nperseg=4096)

    def db(low: float, high: float) -> float:
        return float(10 * np.log10(power[(bins_hz >= low) & (bins_hz < high)].mean()))

    assert db(300, 400) == pytest.approx(db(200, 300), abs=1.5)
    assert db(1900, 2100) - db(950, 1050) == pytest.approx(-9, abs=1.5)
    envelope = np.abs(wave).reshape(-1, RATE // 100).mean(axis=1)
    rhythm_hz, modulation = signal.welch(envelope - envelope.mean(), 100.0, nperseg=400)
    syllables = (rhythm_hz >= 2) & (rhythm_hz <= 8)
    assert modulation[syllables].mean() > 5 * modulation[rhythm_hz > 12].mean()
