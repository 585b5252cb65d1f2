"""Recordings counted once for each label, whatever their events' times: against a set of pairs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.metrics.events import count_events, evaluate_events
from ossicle.metrics.matching.rules import RecordingMatch, recording_counts

LABELS = ("a", "b", "c")


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=60)
def test_counts_are_those_of_sets_of_recordings_and_labels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = [f"r{k}" for k in range(int(rng.integers(1, 8)))]

    def drawn() -> dict[str, dict[str, np.ndarray]]:
        out = {}
        for key in ids:
            starts = {label: rng.uniform(0, 9, int(rng.integers(0, 4))) for label in LABELS if rng.random() < 0.5}
            out[key] = {label: np.stack([at, at + 1], axis=1) for label, at in starts.items()}
        return out

    references, predictions = drawn(), drawn()
    wanted = {(key, label) for key in ids for label, of in references[key].items() if len(of)}
    got = {(key, label) for key in ids for label, of in predictions[key].items() if len(of)}
    report = evaluate_events(
        references, predictions, dict.fromkeys(ids, 10.0), LABELS, RecordingMatch(), n_bootstrap=20
    )
    assert (report.pooled.tp, report.pooled.fp, report.pooled.fn) == (
        len(wanted & got),
        len(got - wanted),
        len(wanted - got),
    )
    for label, scores in report.per_label.items():
        assert scores.n_reference == sum(of == label for _, of in wanted)
        assert scores.n_predicted == sum(of == label for _, of in got)
    plain = report.to_json()
    assert "boundary_errors" not in plain
    assert all("false_alarms_per_hour" not in of for of in (plain, *plain["per_label"].values()))


def test_a_label_of_every_recording_has_no_precision_and_no_f1() -> None:
    whole = np.array([[0.0, 10.0]])
    both = {key: {"a": whole} for key in ("x", "y")}
    durations = dict.fromkeys(both, 10.0)
    report = evaluate_events(both, both, durations, ["a"], RecordingMatch(), n_bootstrap=20)
    rates = report.to_json()["events"]
    assert rates["recall"]["value"] == 1.0
    assert rates["f1"] == rates["precision"] == {"value": None, "low": None, "high": None}
    # A recording without the label is a negative, unless nobody knows.
    more = {**durations, "z": 10.0}
    known = evaluate_events(both, both, more, ["a"], RecordingMatch(), n_bootstrap=0)
    assert known.pooled.rates.f1.value == 1.0
    unknown = evaluate_events(both, both, more, ["a"], RecordingMatch(), n_bootstrap=0, unknown={("z", "a")})
    assert np.isnan(unknown.pooled.rates.f1.value)


@given(st.integers(0, 3), st.integers(0, 3))
def test_one_outcome_at_most(n_reference: int, n_predicted: int) -> None:
    def events(n: int) -> np.ndarray:
        return np.stack([np.arange(n), np.arange(n) + 0.5], axis=1).astype(np.float64)

    counts = count_events(events(n_reference), events(n_predicted), RecordingMatch())
    assert sum(counts) == min(1, n_reference + n_predicted)
    many = recording_counts(np.array([n_reference]), np.array([n_predicted]))
    assert counts == tuple(int(of[0]) for of in many)
