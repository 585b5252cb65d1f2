import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.audio.features.event_features import FEATURES, EventFeatureSettings, event_features, event_frames
from ossicle.core.model_input.frontend import analysis_window

RATE = 16000
CHOSEN = EventFeatureSettings(rate=RATE, n_fft=512, hop_samples=160, fmin_hz=100.0, fmax_hz=6000.0)


def stretch(samples, at):
    """[first, stop) of a recording, zeros beyond its edges."""
    padded = np.concatenate([np.zeros(RATE), samples, np.zeros(2 * RATE)]).astype(np.float32)
    return padded[RATE + at.first_sample : RATE + at.stop_sample]


def features(samples, start_s, end_s, chosen=CHOSEN):
    at = event_frames(start_s, end_s, chosen, len(samples))
    result = event_features(stretch(samples, at), at, chosen)
    assert np.isfinite(result).all()
    return dict(zip(FEATURES, result.tolist(), strict=True))


def slow(samples, start_s, end_s):
    """The measurements by loops over frames and bins, for an event shorter than ``longest_s``."""
    hop, n_fft, window = CHOSEN.hop_samples, CHOSEN.n_fft, analysis_window(CHOSEN.n_fft).astype(np.float64)
    padded = np.concatenate([np.zeros(RATE), samples, np.zeros(RATE)])
    start, n_event = round(start_s * RATE), max(1, int((end_s - start_s) * RATE / hop + 0.5))

    def frame(first):
        centre = RATE + first + hop // 2
        power = np.abs(np.fft.rfft(padded[centre - n_fft // 2 : centre + n_fft // 2] * window)) ** 2
        return {k * RATE / n_fft: max(p, 1e-14) for k, p in enumerate(power) if 100 <= k * RATE / n_fft <= 6000}

    event = [frame(start + k * hop) for k in range(n_event)]
    around = [frame(start - k * hop) for k in range(1, 51) if start - k * hop >= 0]
    stop = start + n_event * hop
    around += [frame(stop + k * hop) for k in range(50) if stop + (k + 1) * hop <= len(samples)]

    def reached(values, places, share):
        total, so_far = sum(values), 0.0
        for value, place in zip(values, places, strict=True):
            so_far += value
            if so_far >= share * total:
                return place
        return places[-1]

    def entropy(values):
        return -sum(v / sum(values) * np.log2(v / sum(values)) for v in values)

    hz = list(event[0])
    spectrum = [sum(one[f] for one in event) for f in hz]
    envelope = [sum(one.values()) for one in event]
    times = [k * hop / RATE for k in range(n_event)]
    f = {share: reached(spectrum, hz, share / 100) for share in (5, 25, 50, 75, 95)}
    t = {share: reached(envelope, times, share / 100) for share in (5, 25, 75, 95)}
    return {
        "duration_50_s": t[75] - t[25],
        "duration_90_s": t[95] - t[5],
        "centre_hz": f[50],
        "frequency_5_hz": f[5],
        "frequency_25_hz": f[25],
        "frequency_75_hz": f[75],
        "frequency_95_hz": f[95],
        "bandwidth_50_hz": f[75] - f[25],
        "bandwidth_90_hz": f[95] - f[5],
        "average_entropy_bits": np.mean([entropy(list(one.values())) for one in event]),
        "aggregate_entropy_bits": entropy(spectrum),
        "snr_db": 10 * np.log10(np.mean(envelope) / np.mean([sum(one.values()) for one in around])),
    }


@pytest.mark.parametrize(("start_s", "end_s"), [(0.6, 0.9), (0.0, 0.105), (1.93, 2.0), (0.3, 0.304)])
def test_the_measurements_are_those_of_the_slow_loops(start_s, end_s):
    samples = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE)
    samples[int(0.65 * RATE) : int(0.8 * RATE)] += np.sin(2 * np.pi * 900 * np.arange(int(0.15 * RATE)) / RATE)
    samples = samples.astype(np.float32).astype(np.float64)
    result = features(samples, start_s, end_s)
    for name, value in slow(samples, start_s, end_s).items():
        assert result[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name


def test_cepstra_are_those_of_librosa():
    librosa = pytest.importorskip("librosa")
    samples = (0.1 * np.random.default_rng(1).standard_normal(RATE)).astype(np.float32)
    at = event_frames(0.4, 0.7, CHOSEN, len(samples))
    inside = stretch(samples, at)[at.before * 160 : (at.before + at.event - 1) * 160 + 512]
    power = np.abs(librosa.stft(inside, n_fft=512, hop_length=160, center=False)) ** 2
    power = power * (2 / np.hanning(513)[:-1].sum()) ** 2
    bank = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=40, fmin=100, fmax=6000)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(bank @ power, amin=1e-10, top_db=None), n_mfcc=13)
    result = features(samples, 0.4, 0.7)
    changes = {f"delta{n if n > 1 else ''}_": librosa.feature.delta(mfcc, order=n, mode="nearest") for n in (1, 2)}
    for of, rows in {"": mfcc, **changes}.items():
        for how, reduce in (("mean", np.mean), ("std", np.std)):
            got = [result[f"{of}mfcc_{number}_{how}"] for number in range(13)]
            np.testing.assert_allclose(got, reduce(rows, axis=1), atol=2e-3)


def test_a_tone_is_where_it_is_and_as_loud_as_it_is():
    samples = 1e-3 * np.random.default_rng(2).standard_normal(3 * RATE)
    inside = slice(RATE, RATE + RATE // 2)
    samples[inside] += np.sin(2 * np.pi * 2000 * np.arange(RATE // 2) / RATE)
    result = features(samples, 1.0, 1.5)
    assert result["centre_hz"] == pytest.approx(2000, abs=RATE / 512)
    assert result["bandwidth_90_hz"] <= 3 * RATE / 512
    assert result["duration_90_s"] == pytest.approx(0.45, abs=0.02)
    assert result["aggregate_entropy_bits"] < 2
    # Windows of the surroundings that reach into the tone hear it, else it would be some 50 dB.
    assert result["snr_db"] > 20
    assert features(samples, 2.0, 2.5)["aggregate_entropy_bits"] > 7


def test_of_a_long_event_the_last_part_is_looked_at():
    samples = np.random.default_rng(3).standard_normal(12 * RATE)
    chosen = EventFeatureSettings(rate=RATE, longest_s=2.0, surroundings_s=0.0)
    assert features(samples, 1.0, 11.0, chosen) == features(samples, 9.0, 11.0, chosen)


@given(st.floats(0, 2), st.floats(0.001, 1.0), st.sampled_from([0.0, 1e-9, 1.0]))
def test_every_feature_is_a_number_anywhere_in_anything(start_s, length_s, level):
    samples = level * np.random.default_rng(4).standard_normal(2 * RATE)
    result = features(samples, start_s, min(start_s + length_s, 2.0) if start_s < 2 else start_s)
    assert len(result) == len(FEATURES) == 90


def test_the_wrong_number_of_samples_is_refused():
    at = event_frames(0.5, 0.6, CHOSEN)
    with pytest.raises(ValueError, match="but the event needs"):
        event_features(np.zeros(10, np.float32), at, CHOSEN)
