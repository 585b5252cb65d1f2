import json
from dataclasses import replace

import numpy as np
import pytest

from ossicle.artefacts.array_files.arrays import arrays_from_bytes, arrays_to_bytes
from ossicle.audio.features.event_features import EventFeatureSettings
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import BundleError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.tracks import Event, event_order
from ossicle.inference.finder import EventFinder
from ossicle.inference.predictor import FakePredictor
from ossicle.inference.second_stage.candidates import CANDIDATE_FEATURES, Candidate
from ossicle.inference.second_stage.file import read_second_stage, second_stage_bytes
from ossicle.inference.second_stage.stage import Calibration, LabelStage, SecondStage
from ossicle.inference.second_stage.trees import Trees

RATE = 8000
PLAN = ChunkPlan(rate=RATE, hop_samples=80, window_samples=256, core_frames=50, context_frames=5)
FEATURES = EventFeatureSettings(rate=RATE, n_fft=256, hop_samples=80, fmax_hz=4000.0, surroundings_s=0.2)
CENTRE = CANDIDATE_FEATURES.index("centre_hz")


def below(hz):
    """A forest of one stump that believes in what is centred below ``hz``."""
    return Trees(
        feature=np.array([CENTRE, -1, -1], np.int32),
        threshold=np.array([hz, 0.0, 0.0]),
        left=np.array([1, -1, -1], np.int32),
        right=np.array([2, -1, -1], np.int32),
        value=np.array([0.0, 0.9, 0.1]),
        roots=np.array([0], np.int32),
        n_features=len(CANDIDATE_FEATURES),
        offset=0.0,
        scale=1.0,
        logistic=False,
    )


def stage(threshold=0.5, labels=("call",), isotonic=()):
    calibration = Calibration(np.array([0.0, 1.0, 0.0]), np.array(isotonic, dtype=np.float64).reshape(-1, 2))
    return SecondStage(
        "forest", 0.5, FEATURES, {label: LabelStage(below(1500.0), calibration, threshold) for label in labels}
    )


def candidate(centre_hz, label="call", decided=True, score=0.8):
    features = np.zeros(len(CANDIDATE_FEATURES))
    features[CENTRE] = centre_hz
    return Candidate(Event(1.0, 2.0, label, score), decided, features)


def test_candidates_are_kept_by_the_fused_score_and_bear_it():
    events = stage().judge([candidate(1000.0), candidate(3000.0), candidate(1000.0, decided=False, score=0.3)])
    assert [event.score for event in events] == pytest.approx([0.9, 0.9])


def test_a_label_without_trees_keeps_its_events_and_no_other():
    events = stage().judge([candidate(1000.0, "song"), candidate(1000.0, "song", decided=False)])
    assert events == [Event(1.0, 2.0, "song", 0.8)]


def test_an_isotonic_line_maps_the_score():
    mapped = stage(isotonic=[(0.0, 0.0), (0.8, 0.5), (1.0, 0.7)])
    (event,) = mapped.judge([candidate(1000.0)])
    assert event.score == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("weights", "line", "why"),
    [
        ([0.0, -1.0, 0.0], [], "at least 0"),
        ([0.0, np.nan, 0.0], [], "finite"),
        ([0.0, 1.0], [], "three"),
        ([0.0, 1.0, 0.0], [(0.5, 0.1), (0.5, 0.2)], "is not ascending"),
        ([0.0, 1.0, 0.0], [(0.1, 0.3), (0.5, 0.2)], "is not ascending"),
        ([0.0, 1.0, 0.0], [(0.1, 0.3), (1.5, 0.5)], r"within \[0, 1\]"),
    ],
)
def test_a_calibration_that_is_none_is_refused(weights, line, why):
    with pytest.raises(ValueError, match=why):
        Calibration(np.array(weights), np.array(line, dtype=np.float64).reshape(-1, 2))


def sound():
    """Low and high tones in turn on quiet noise, a half second each; where each begins."""
    generator = np.random.default_rng(0)
    samples = 1e-3 * generator.standard_normal(20 * RATE)
    for number in range(8):
        start = (1 + 2 * number) * RATE
        hz = (800.0, 2500.0)[number % 2]
        samples[start : start + RATE // 2] += 0.3 * np.sin(2 * np.pi * hz * np.arange(RATE // 2) / RATE)
    return samples.astype(np.float32)


@pytest.mark.parametrize("block", [237, 8000, 200_000])
def test_the_detector_with_both_stages_is_one_fold(block):
    predictor = FakePredictor(("call",), PLAN, threshold_db=-25.0)
    decisions = {"call": Decision(on=0.6, off=0.5)}
    samples = sound()
    first = EventFinder(predictor, decisions)
    assert len(first.feed(samples) + first.finish(20.0)) == 8
    both = EventFinder(predictor, decisions, second_stage=stage())
    events = [event for start in range(0, len(samples), block) for event in both.feed(samples[start : start + block])]
    events = sorted(events + both.finish(20.0), key=event_order)
    assert [round(event.start_s) for event in events] == [1, 5, 9, 13]
    assert {round(event.score, 6) for event in events} == {0.9}


def test_a_file_of_it_says_the_same(tmp_path):
    first = stage(0.42, ("call", "song"), [(0.1, 0.2), (0.9, 0.95)])
    data = second_stage_bytes(first)
    again = read_second_stage(data, tmp_path / "stage")
    assert second_stage_bytes(again) == data
    assert (again.kind, again.lower_on, again.features) == (first.kind, first.lower_on, first.features)
    candidates = [candidate(hz, label) for hz in (100.0, 3000.0) for label in ("call", "song")]
    assert again.judge(candidates) == first.judge(candidates)


def changed(data, **about):
    arrays, text = arrays_from_bytes(data, "x")
    content = json.loads(text["second_stage"])
    for key, value in about.items():
        content[key] = value(content[key]) if callable(value) else value
    return arrays_to_bytes(arrays, {"second_stage": json.dumps(content)})


def with_array(data, name, array):
    arrays, text = arrays_from_bytes(data, "x")
    if array is None:
        del arrays[name]
    else:
        arrays[name] = array
    return arrays_to_bytes(arrays, text)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: b"PK\x03\x04" + data, "header is longer"),
        (lambda data: arrays_to_bytes({}, {}), "not readable JSON"),
        (lambda data: changed(data, version=2), "update Ossicle"),
        (lambda data: changed(data, version="1"), "version is not a whole number"),
        (lambda data: changed(data, columns=["snr_db", "made_up"]), "does not compute"),
        (lambda data: changed(data, columns=lambda names: names[:-1]), "features of this version"),
        (lambda data: changed(data, columns=lambda names: names[::-1]), "features of this version"),
        (lambda data: changed(data, lower_on=0.0), "lower_on = 0 is not above 0"),
        (lambda data: changed(data, lower_on="half"), "is not a finite number"),
        (lambda data: changed(data, more=1), "unknown to this version"),
        (lambda data: changed(data, features=lambda of: of | {"n_fft": 0}), "features cannot be used"),
        (lambda data: changed(data, labels=lambda of: {"call": of["call"] | {"threshold": 1.5}}), "threshold = 1.5"),
        (lambda data: changed(data, labels=lambda of: {"call": of["call"] | {"place": 7}}), "array '7.feature' is m"),
        (lambda data: with_array(data, "0.left", np.array([0, -1, -1], np.int32)), "cycle"),
        (lambda data: with_array(data, "0.threshold", np.array([np.nan, 0, 0])), "NaN"),
        (lambda data: with_array(data, "0.feature", np.array([5000, -1, -1], np.int32)), "a feature that is none of"),
        (lambda data: with_array(data, "0.value", None), "array '0.value' is missing"),
        (lambda data: with_array(data, "0.weights", np.zeros(3, np.float32)), "instead of float64"),
        (lambda data: with_array(data, "0.roots", np.zeros((1, 1), np.int32)), "roots"),
    ],
)
def test_hostile_files_are_refused_by_name(tmp_path, damage, why):
    with pytest.raises(BundleError, match=why) as refused:
        read_second_stage(damage(second_stage_bytes(stage())), tmp_path / "stage.safetensors")
    assert "stage.safetensors" in str(refused.value)


def test_a_stage_cannot_be_made_with_a_threshold_that_is_none():
    with pytest.raises(ValueError, match="from 0 to 1"):
        replace(stage().labels["call"], threshold=float("nan"))
