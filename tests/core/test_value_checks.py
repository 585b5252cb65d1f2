"""Values check themselves where they are made: what is accepted, what is refused, and in which words."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.core.records import Annotation, Recording
from ossicle.core.tracks import Event, ScoreTrack

anything = st.one_of(
    st.floats(), st.integers(-3, 3), st.none(), st.text(max_size=2), st.booleans(), st.sampled_from([b"a", [], 1j])
)


def is_number(value: Any, least: float, most: float = math.inf) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and least <= value <= most


def refusal(make: Callable[[], object]) -> str:
    """Why the value could not be made; empty where it could."""
    try:
        make()
    except ValueError as error:
        return str(error)
    return ""


@given(anything, anything, anything, anything)
def test_an_event_is_valid_or_refused_by_field(start: Any, end: Any, label: Any, score: Any) -> None:
    fine = is_number(start, 0.0) and is_number(end, 0.0) and start <= end and is_number(score, 0.0)
    fine = fine and isinstance(label, str) and label != ""
    why = refusal(lambda: Event(start, end, label, score))
    assert (why == "") == fine, why
    assert fine or any(name in why for name in ("start_s", "end_s", "label", "score"))


@given(anything, anything, anything, anything, anything, anything)
def test_an_annotation_is_valid_or_refused_by_field(
    start: Any, end: Any, label: Any, low: Any, high: Any, confidence: Any
) -> None:
    fine = is_number(start, 0.0) and is_number(end, 0.0) and start <= end and isinstance(label, str) and label != ""
    fine = fine and all(limit is None or is_number(limit, 0.0) for limit in (low, high))
    fine = fine and (low is None or high is None or low <= high)
    fine = fine and (confidence is None or is_number(confidence, -math.inf))
    why = refusal(lambda: Annotation("a1", start, end, label, low, high, confidence=confidence))
    assert (why == "") == fine, why
    assert fine or any(name in why for name in ("start_s", "end_s", "label", "_hz", "confidence"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": ""}, "id is empty"),
        ({"path": ""}, "path is empty"),
        ({"rate": -1}, "rate = -1 must be at least 1"),
        ({"rate": 0}, "rate = 0 must be at least 1"),
        ({"rate": 44100.5}, "rate = 44100.5 is not a whole number"),
        ({"channels": 0}, "channels = 0 must be at least 1"),
        ({"n_samples": -5}, "n_samples = -5 must be at least 0"),
        ({"n_samples": math.nan}, "n_samples = nan is not a whole number"),
        ({"status": "fine", "reason": "so"}, "status = 'fine' is not one of: ok, partial, silent, left_out"),
        ({"status": "partial"}, "reason = '' must say why the status is 'partial'"),
    ],
)
def test_a_recording_is_refused_by_field(changes: dict[str, Any], words: str) -> None:
    known = Recording("id", "tapes", "a.wav", rate=48000, channels=2, n_samples=72000, digest="d")
    with pytest.raises(ValueError, match=r"^Recording: ") as refused:
        replace(known, **changes)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ()}, "labels are empty"),
        ({"labels": "call"}, "labels = 'call' is one text; give a list of names"),
        ({"labels": ["call", "call"]}, "labels contain 'call' twice"),
        ({"labels": ["call", ""]}, "labels contain '', which is not a name"),
        ({"labels": ["call", 3]}, "labels contain 3, which is not a name"),
        ({"labels": ["call"]}, "scores have 2 columns for 1 label"),
        ({"scores": [0.5, 0.5]}, "scores have the shape (2,); give (n_frames, n_labels)"),
        ({"scores": [[0.5], [0.5, 0.1]]}, "scores are not an array of numbers"),
        ({"scores": [["loud", "low"]]}, "scores are not an array of numbers"),
        ({"scores": [[0.5, 0.1], [0.5, math.nan]]}, "scores[1, 1] = nan is not a finite number"),
        ({"scores": [[0.5, math.inf]]}, "scores[0, 1] = inf is not a finite number"),
        ({"hop_s": 0.0}, "hop_s = 0.0 must be more than 0"),
        ({"hop_s": math.inf}, "hop_s = inf is not a finite number"),
        ({"hop_s": None}, "hop_s = None is not a finite number"),
        ({"duration_s": -1.0}, "duration_s = -1.0 must be at least 0"),
        ({"duration_s": math.nan}, "duration_s = nan is not a finite number"),
        ({"duration_s": 0.2}, "duration_s = 0.2 is shorter than the 3 frames of 0.5 s in scores"),
    ],
)
def test_a_score_track_is_refused_by_field(changes: dict[str, Any], words: str) -> None:
    fine = {"labels": ["call", "song"], "scores": [[0.1, 0.2]] * 3, "hop_s": 0.5, "duration_s": 1.4}
    ScoreTrack(**fine)
    with pytest.raises(ValueError, match=r"^ScoreTrack: ") as refused:
        ScoreTrack(**(fine | changes))
    assert words in str(refused.value)


def test_a_score_track_takes_lists_and_keeps_arrays() -> None:
    listed = ScoreTrack(["call"], [[0], [1]], hop_s=1, duration_s=2)
    assert (listed.labels, listed.scores.dtype, listed.scores.shape) == (("call",), np.float32, (2, 1))
    scores = np.zeros((2, 1), np.float32)
    assert ScoreTrack(("call",), scores, 1.0, 2.0).scores is scores
    assert ScoreTrack(["call", "song"], [], 1.0, 0.0).scores.shape == (0, 2)
    assert replace(listed, duration_s=1.5).scores is listed.scores
    with pytest.raises(AttributeError):
        listed.hop_s = 2.0  # type: ignore[misc]


def test_large_finite_scores_are_no_infinity() -> None:
    most = float(np.finfo(np.float32).max)
    assert ScoreTrack(["call"], [[most], [most]], 1.0, 2.0).scores.max() == np.float32(most)


def test_mapped_scores_are_not_looked_at(tmp_path: Any) -> None:
    np.array([[np.nan]], np.float32).tofile(tmp_path / "scores")
    mapped = np.asarray(np.memmap(tmp_path / "scores", np.float32, mode="r", shape=(1, 1)))
    assert np.isnan(ScoreTrack(["call"], mapped, 1.0, 1.0).scores[0, 0])
