"""Rate, frames and windows of a new project fit what is annotated, and say why."""

import tomllib
from typing import Any

import pytest

from ossicle.app.project.scaffolding.frame_scaffold import frame_lines
from ossicle.core.records import Annotation, Recording
from ossicle.corpus.indexing.corpus_index import CorpusIndex


def index(*annotations: Annotation, rates: tuple[int, ...] = (250000,)) -> CorpusIndex:
    return CorpusIndex(
        tuple(Recording(str(n), "r", f"{n}.wav", of, 1, 10 * of, str(n), reviewed=True) for n, of in enumerate(rates)),
        annotations,
    )


def written(found: CorpusIndex) -> tuple[dict[str, Any], str]:
    text = "[frontend]\n" + "\n".join(frame_lines(found))
    return tomllib.loads(text)["frontend"], next(line for line in text.splitlines() if line.startswith("rate"))


def calls(length_s: float, label: str = "bat", **frequencies: float) -> list[Annotation]:
    return [Annotation("0", float(start), start + length_s, label, **frequencies) for start in range(1, 9)]


def test_without_frequencies_the_rate_is_that_of_the_recordings_and_is_called_so() -> None:
    front, line = written(index(*calls(0.005)))
    assert (front["rate"], front["fmax_hz"]) == (250000, 125000.0)
    assert line.endswith("# Hz, the recordings' own: no frequency is annotated")


def test_one_label_without_frequencies_is_enough() -> None:
    front, line = written(index(*calls(0.1, "hum", high_hz=900.0), *calls(0.1), rates=(48000,)))
    assert front["rate"] == 48000
    assert line.endswith("# Hz, the recordings' own: 'bat' has no annotated frequencies")
    front, line = written(index(*calls(0.1, "hum", high_hz=900.0), *calls(0.1, high_hz=20000.0), rates=(96000,)))
    assert front["rate"] == 44100
    assert line.endswith("# Hz, from the highest annotated frequency")


def test_frequencies_that_may_be_khz_do_not_decide() -> None:
    front, line = written(index(*calls(0.1, low_hz=2.5, high_hz=9.1), rates=(24000,)))
    assert front["rate"] == 24000
    assert line.endswith("# Hz, the recordings' own: annotated frequencies up to 9.1 Hz may be kHz")


def test_a_label_cannot_leave_its_comment() -> None:
    front, _ = written(index(*calls(0.1, "a\nfmin_hz = 7.0 #"), *calls(0.1, "hum", high_hz=900.0), rates=(8000,)))
    assert "fmin_hz" not in front


def test_the_slowest_tenth_of_the_recordings_does_not_decide() -> None:
    assert written(index(*calls(0.1), rates=(48000,) * 19 + (8000,)))[0]["rate"] == 48000
    assert written(index(*calls(0.1), rates=(48000,) * 8 + (44100,) * 2))[0]["rate"] == 44100


@pytest.mark.parametrize(
    ("length_s", "hop_ms", "window_ms"), [(0.005, 1.0, 4.096), (0.015, 2.5, 16.384), (0.1, 10.0, 32.768)]
)
def test_frames_and_windows_are_shorter_than_the_shortest_calls(
    length_s: float, hop_ms: float, window_ms: float
) -> None:
    front, _ = written(index(*calls(0.3, "long"), *calls(length_s)))
    assert 1000 * front["hop_samples"] / front["rate"] == pytest.approx(hop_ms, rel=0.01)
    assert 1000 * front["n_fft"] / front["rate"] == pytest.approx(window_ms, rel=0.01)


def test_without_annotations_there_is_a_front_end_too() -> None:
    front, line = written(index(rates=(22050,)))
    assert front["rate"] == 22050
    assert "no frequency is annotated" in line
