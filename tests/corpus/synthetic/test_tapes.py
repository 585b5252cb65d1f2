import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal

from ossicle.audio.decoding.mono import load_mono
from ossicle.corpus.clips.clip_table import build_dataset
from ossicle.corpus.clips.settings import DatasetSettings
from ossicle.corpus.formats.raven import read_raven
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.splits.folds import SplitSettings, make_folds
from ossicle.corpus.splits.leak_audit import audit, require_no_leak
from ossicle.corpus.synthetic.calls import CALLS, CONFUSERS
from ossicle.corpus.synthetic.scenes import SNR_OF_QUALITY, Scene, place_bouts, span_s
from ossicle.corpus.synthetic.sites import acoustics, ambience, draw_site
from ossicle.corpus.synthetic.tapes import SynthSettings, make_scene, make_tapes, tape_stem

RATE = 16000
SMALL = SynthSettings(tapes=3, minutes=0.2, sites=2, seed=5)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    chosen = SynthSettings(tapes=4, minutes=0.4, empty_tapes=0, seed=1, calls_per_minute=20, classes=tuple(CALLS))
    return [make_scene(chosen, tape) for tape in range(4)]


def filtered_power(wave: NDArray[np.float32], low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Instantaneous power in a band, by a Butterworth filter: independent of the Fourier transform of the code."""
    sos = signal.butter(10, [low_hz, min(high_hz, 0.499 * RATE)], btype="bandpass", fs=RATE, output="sos")
    return np.asarray(signal.sosfilt(sos, wave.astype(np.float64)) ** 2)


@pytest.mark.parametrize("name", sorted(CALLS | CONFUSERS))
@given(seed=st.integers(0, 2**32), rate=st.sampled_from([12000, 16000, 22050, 48000]))
@settings(deadline=None, max_examples=8)
def test_sounds_keep_to_their_band_and_length(name: str, seed: int, rate: int) -> None:
    sound = (CALLS | CONFUSERS)[name](np.random.default_rng(seed), rate)
    assert sound.samples.dtype == np.float32
    assert np.all(np.isfinite(sound.samples))
    assert 0 < sound.low_hz < sound.high_hz < rate / 2
    if name not in CALLS:
        return
    assert 0.06 <= len(sound.samples) / rate <= 0.40 + 1 / rate
    assert abs(np.abs(sound.samples).max() - 1) < 1e-5
    power = np.abs(np.fft.rfft(sound.samples)) ** 2
    bins_hz = np.fft.rfftfreq(len(sound.samples), 1 / rate)
    assert power[(bins_hz >= sound.low_hz) & (bins_hz <= sound.high_hz)].sum() > 0.93 * power.sum()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_the_support_of_a_call_is_its_annotation(name: str) -> None:
    """Zero at both ends, and above -20 dB of its peak within the flanks that the module states."""
    for seed in range(30):
        wave = np.abs(CALLS[name](np.random.default_rng(seed), RATE).samples)
        assert wave[0] < 1e-3
        assert wave[-1] < 1e-3
        loud = np.flatnonzero(wave > 0.1)
        assert loud[0] / RATE < 0.03
        assert (len(wave) - 1 - loud[-1]) / RATE < 0.04


def test_energy_lies_within_the_annotated_spans(scenes: list[Scene]) -> None:
    for scene in scenes:
        outside = scene.called.astype(np.float64) ** 2
        for call in scene.calls:
            start, stop = call.start_sample, call.start_sample + call.n_samples
            inside = outside[start:stop].sum()
            tail = outside[stop : stop + 800].sum()
            assert tail < 0.01 * inside
            outside[start : stop + 800] = 0
        assert outside.sum() == 0


def test_snr_is_that_of_the_quality(scenes: list[Scene]) -> None:
    measured_snr: dict[int, list[float]] = {quality: [] for quality in SNR_OF_QUALITY}
    for scene in scenes:
        for call in scene.calls:
            start, stop = call.start_sample, call.start_sample + call.n_samples
            alone = np.zeros_like(scene.called)
            alone[start : stop + 800] = scene.called[start : stop + 800]
            of_call = filtered_power(alone, call.low_hz, call.high_hz).sum() / call.n_samples
            around = slice(max(0, start - 8000), stop + 8000)
            of_back = filtered_power(scene.ambience, call.low_hz, call.high_hz)[around].mean()
            measured_snr[call.quality].append(10 * np.log10(of_call / of_back))
    assert all(measured_snr.values())
    for quality, measured in measured_snr.items():
        np.testing.assert_allclose(measured, SNR_OF_QUALITY[quality], atol=0.5)


def test_calls_do_not_overlap_and_keep_from_the_ends(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert len(scene.calls) >= 6
        spans = [span_s(call, RATE) for call in scene.calls]
        assert spans == sorted(spans)
        assert spans[0][0] >= 0.5
        assert spans[-1][1] <= 23.5
        assert all(later[0] - earlier[1] >= 0.12 - 1e-9 for earlier, later in pairwise(spans))


def test_a_clear_call_stands_out_of_the_spectrogram(scenes: list[Scene]) -> None:
    """The mixture, not its layers: the band of a quality-1 call is at least 10 dB louder in the call than before it."""
    for scene in scenes:
        quiet = scene.ambience + scene.called  # a confuser may fall just before
        for call in scene.calls:
            if call.quality == 1:
                power = filtered_power(quiet, call.low_hz, call.high_hz)
                during = power[call.start_sample : call.start_sample + call.n_samples].mean()
                assert 10 * np.log10(during / power[call.start_sample - 1600 : call.start_sample].mean()) > 10


def test_a_crowded_tape_leaves_calls_out_rather_than_overlap_them() -> None:
    starts = place_bouts([3000] * 60, 6 * RATE, RATE, np.random.default_rng(0))
    placed = sorted(start for start in starts if start is not None)
    assert 5 < len(placed) < 60
    assert min(np.diff(placed)) >= 3000 + 0.12 * RATE
    assert place_bouts([RATE], RATE, RATE, np.random.default_rng(0)) == [None]


def test_sites_differ_and_have_the_character_they_claim() -> None:
    def band_db(site: int, low: float, high: float) -> float:
        rng = np.random.default_rng(site)
        wave = ambience(draw_site(rng, site), 10 * RATE, RATE, rng)
        return float(10 * np.log10(filtered_power(wave, low, high).mean()))

    assert [draw_site(np.random.default_rng(0), site).character for site in range(5)] == [
        "wind",
        "rain",
        "farm",
        "insects",
        "wind",
    ]
    assert band_db(3, 3500, 6800) > max(band_db(site, 3500, 6800) for site in (0, 2)) + 3
    assert band_db(2, 25, 110) > band_db(1, 25, 110) + 3


def test_the_response_begins_with_the_direct_path_and_ends_soon() -> None:
    for site in range(8):
        rng = np.random.default_rng(site)
        response = acoustics(draw_site(rng, site), RATE, rng)
        assert np.argmax(np.abs(response)) == 0
        assert len(response) == 400


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tapes")
    progress: list[tuple[int, int]] = []
    make_tapes(folder, SMALL, lambda done, total: progress.append((done, total)))
    assert progress == [(1, 3), (2, 3), (3, 3)]
    return folder


def test_the_same_seed_gives_the_same_bytes_in_other_processes(corpus: Path, tmp_path: Path) -> None:
    make_tapes(tmp_path, SynthSettings(tapes=3, minutes=0.2, sites=2, seed=5, workers=2))
    assert digests(corpus) == digests(tmp_path)


def test_another_seed_gives_another_corpus() -> None:
    other = SynthSettings(tapes=3, minutes=0.2, sites=2, seed=6)
    assert make_scene(other, 0).calls != make_scene(SMALL, 0).calls
    assert not np.allclose(make_scene(other, 0).ambience, make_scene(SMALL, 0).ambience)


def test_tapes_do_not_depend_on_their_number() -> None:
    more = SynthSettings(tapes=5, minutes=0.2, sites=2, seed=5)
    np.testing.assert_array_equal(make_scene(SMALL, 1).samples, make_scene(more, 1).samples)


def test_files_have_names_and_tables_like_real_ones(corpus: Path) -> None:
    stems = [tape_stem(SMALL, tape) for tape in range(3)]
    assert stems == ["siteA_20250610_050000_tape", "siteB_20250611_050700_tape", "siteA_20250612_051400_tape"]
    assert set(digests(corpus)) == {
        *(f"audio/{stem}.wav" for stem in stems),
        *(f"selections/{stem}.Table.1.selections.txt" for stem in stems),
    }
    for tape, stem in enumerate(stems):
        rows = read_raven(corpus / "selections" / f"{stem}.Table.1.selections.txt")
        calls = make_scene(SMALL, tape).calls
        assert [(row.label, row.quality) for row in rows] == [(call.label, call.quality) for call in calls]
        for row, call in zip(rows, calls, strict=True):
            assert row.start_s == pytest.approx(call.start_sample / RATE, abs=1e-6)
            assert row.end_s == pytest.approx((call.start_sample + call.n_samples) / RATE, abs=1e-6)
    assert rows == []  # the last tape is reviewed empty


def test_from_tapes_to_clips(corpus: Path) -> None:
    chosen = CorpusSettings(audio="audio", annotations="selections", name_template="site{site}_*")
    index = index_corpus(corpus / "audio", corpus / "selections", chosen)
    assert index.left_out == ()
    folds = make_folds(index.recordings, index.annotations, SplitSettings(group="site"))
    assert {entry.group for entry in folds.values()} == {"A", "B"}
    clips = build_dataset(index.recordings, index.annotations, folds, DatasetSettings(), seed=0, crop_s=0.5).clips
    require_no_leak(audit(folds, index.recordings, index.annotations, clips, group="site"))
    calls = [make_scene(SMALL, tape).calls for tape in range(3)]
    assert sum(clip.role == "target" for clip in clips) == sum(map(len, calls)) == len(index.annotations)
    assert all(recording.reviewed for recording in index.recordings)


def test_an_empty_tape_still_has_other_animals() -> None:
    scene = make_scene(SynthSettings(tapes=2, minutes=0.5), 1)
    assert scene.calls == ()
    assert not scene.called.any()
    assert scene.confusers.any()


def test_the_audio_on_disk_is_the_scene(corpus: Path) -> None:
    scene = make_scene(SMALL, 0)
    wave = load_mono(corpus / "audio" / f"{tape_stem(SMALL, 0)}.wav", RATE)
    np.testing.assert_allclose(wave, scene.samples, atol=1 / 32768)
    assert np.abs(scene.samples).max() <= 0.9 + 1e-6


def test_settings_refuse_what_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="empty_tapes = 2"):
        SynthSettings(tapes=2, empty_tapes=2)
    with pytest.raises(ValueError, match="is not one of: hum, trill, whistle"):
        SynthSettings(classes=("growl",))
    with pytest.raises(ValueError, match=r"minutes = 20 is too long at 96000 Hz: at most 3\.5 min"):
        SynthSettings(minutes=20, rate=96000)
    with pytest.raises(ValueError, match="at least one call"):
        SynthSettings(classes=())
