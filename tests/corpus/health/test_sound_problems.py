"""A front end that cannot hear the calls is named."""

import pytest

from ossicle.core.records import Annotation, Recording
from ossicle.corpus.health.report import health
from ossicle.corpus.health.sound_problems import sound_problems
from ossicle.corpus.indexing.corpus_index import CorpusIndex


def index(rate: int, *annotations: Annotation, others: tuple[int, ...] = ()) -> CorpusIndex:
    rates = (rate, *others)
    return CorpusIndex(
        tuple(Recording(str(n), "r", f"{n}.wav", of, 1, 10 * of, str(n), reviewed=True) for n, of in enumerate(rates)),
        annotations,
    )


def codes(index: CorpusIndex, fmax_hz: float = 8000.0, hop_s: float | None = None) -> list[str]:
    return [problem.code for problem in sound_problems(index, fmax_hz=fmax_hz, hop_s=hop_s)]


BAT = Annotation("0", 1.0, 1.005, "bat")


def test_a_band_that_is_recorded_and_not_read() -> None:
    assert codes(index(250000, BAT)) == ["band_unread"]
    assert codes(index(250000)) == ["band_unread"]
    assert codes(index(250000, BAT), fmax_hz=125000.0) == []
    assert codes(index(32000, BAT)) == []
    (problem,) = sound_problems(index(250000, BAT), fmax_hz=8000.0)
    assert "up to 125000 Hz, but the model reads up to 8000 Hz; 'bat' without annotated frequencies" in problem.message


def test_annotated_frequencies_say_that_the_rest_is_not_needed() -> None:
    hum = Annotation("0", 1.0, 2.0, "hum", low_hz=100.0, high_hz=900.0)
    assert codes(index(48000, hum)) == []
    assert codes(index(48000, hum, BAT)) == ["band_unread"]


def test_one_odd_recording_is_no_reason() -> None:
    assert codes(index(250000, BAT, others=(16000,) * 19)) == []


@pytest.mark.parametrize(("hop_s", "expected"), [(0.005, ["frame_too_long"]), (0.004, []), (None, [])])
def test_a_frame_as_long_as_the_median_call(hop_s: float | None, expected: list[str]) -> None:
    calls = [Annotation("0", start, start + length, "bat") for start, length in ((1, 0.003), (2, 0.005), (3, 0.4))]
    assert codes(index(16000, *calls), hop_s=hop_s) == expected


def test_labels_of_whole_recordings_are_no_calls() -> None:
    assert codes(index(16000, Annotation("0", 0.0, 10.0, "wren")), hop_s=10.0) == []


def test_health_says_both() -> None:
    report = health(index(250000, BAT), rate=16000, hop_s=0.01)
    assert {"band_unread", "frame_too_long"} <= {problem.code for problem in report.problems}


def test_frequencies_that_may_be_khz_are_named() -> None:
    wren = Annotation("0", 1.0, 2.0, "wren", low_hz=2.5, high_hz=9.1)
    hum = Annotation("0", 3.0, 4.0, "hum", low_hz=50.0, high_hz=1000.0)
    (problem,) = sound_problems(index(24000, wren), fmax_hz=8000.0)
    assert problem.code == "perhaps_khz"
    assert "at or below 9.1 Hz, and recordings hold sound up to 12000 Hz" in problem.message
    assert "low_khz and high_khz" in problem.remedy
    assert codes(index(24000, wren, hum)) == []
    # Fin whales.
    assert codes(index(1000, Annotation("0", 1.0, 2.0, "whale", low_hz=15.0, high_hz=30.0))) == []
