"""The probe gate: accuracy, recall of named groups of labels, and confusions that must not grow."""

import numpy as np

from ossicle.evaluation.gates.gate_line import failed
from ossicle.evaluation.gates.probe import (
    ProbeFigures,
    confusion_shares,
    labels_without_recall,
    probe_lines,
)
from ossicle.evaluation.gates.settings import ProbeGateSettings

LABELS = ("kick", "ride_bell", "ride_bow", "snare", "tom_low")
GATE = ProbeGateSettings(
    accuracy=0.72,
    recall=0.25,
    buckets={"cymbals": ("ride*",), "toms": ("tom*",)},
    pairs=("kick > ride*", "snare > kick"),
)


def figures(**confused: int) -> ProbeFigures:
    """Twenty clips of each label, all right but for the given numbers: ``kick__snare=3``."""
    counts = 20 * np.eye(len(LABELS), dtype=np.int64)
    for pair, n_clips in confused.items():
        true, predicted = (LABELS.index(label) for label in pair.split("__"))
        counts[true, true] -= n_clips
        counts[true, predicted] += n_clips
    return ProbeFigures(LABELS, counts)


def reasons(found: ProbeFigures, previous: ProbeFigures | None = None) -> tuple[str, ...]:
    return failed(probe_lines(found, GATE, None if previous is None else confusion_shares(previous, GATE)))


def test_a_good_warm_up_passes_all_lines() -> None:
    lines = probe_lines(figures(), GATE)
    assert [line.name for line in lines] == [
        "accuracy >= 0.72",
        "recall of cymbals: ride_bell > 0.25",
        "recall of cymbals: ride_bow > 0.25",
        "recall of toms: tom_low > 0.25",
        "confusion kick > ride*",
        "confusion snare > kick",
    ]
    assert all(line.passed for line in lines)


def test_too_low_an_accuracy_refuses() -> None:
    assert reasons(figures(kick__snare=14, snare__tom_low=14)) == ()
    assert reasons(figures(kick__snare=15, snare__tom_low=14)) == ("accuracy >= 0.72: 0.71 is below 0.72",)


def test_recall_at_the_limit_refuses_and_zero_is_named() -> None:
    assert reasons(figures(tom_low__snare=14)) == ()
    assert reasons(figures(tom_low__snare=15)) == ("recall of toms: tom_low > 0.25: 0.25 is not above 0.25",)
    probe_figures = figures(ride_bell__ride_bow=20)
    assert reasons(probe_figures) == ("recall of cymbals: ride_bell > 0.25: zero recall",)
    assert labels_without_recall(probe_figures) == ["ride_bell"]


def test_a_confusion_that_grew_refuses_and_one_that_shrank_does_not() -> None:
    before = figures(kick__ride_bell=1, kick__ride_bow=2, snare__kick=2)
    assert reasons(figures(kick__ride_bow=3, snare__kick=1), before) == ()
    assert reasons(figures(kick__ride_bell=2, kick__ride_bow=2), before) == (
        "confusion kick > ride*: 0.2 has grown from 0.15 in the previous run",
    )


def test_without_a_previous_run_nothing_has_grown() -> None:
    assert reasons(figures(kick__ride_bow=5)) == ()


def test_an_absent_class_fails_by_name() -> None:
    gate = ProbeGateSettings(buckets={"cymbals": ("crash*", "ride*")}, pairs=("hihat* > snare",))
    result = failed(probe_lines(figures(), gate))
    assert len(result) == 2
    assert result[0].startswith("recall of cymbals: crash*: no class is called 'crash*'")
    assert result[1].startswith("confusion hihat* > snare: no class is called 'hihat*'")


def test_a_class_without_clips_fails_by_name() -> None:
    counts = figures().confusion.copy()
    counts[LABELS.index("tom_low")] = 0
    counts[LABELS.index("snare")] = 0
    assert reasons(ProbeFigures(LABELS, counts)) == (
        "recall of toms: tom_low > 0.25: is undefined: there are no held-out clips of this class",
        "confusion snare > kick: is undefined: there are no held-out clips of the true class",
    )
    assert "accuracy >= 0.72: is undefined" in reasons(ProbeFigures(LABELS, np.zeros_like(counts)))[0]


def test_a_gate_without_limits_is_not_active() -> None:
    assert not ProbeGateSettings().active
    assert all(
        settings.active for settings in (GATE, ProbeGateSettings(accuracy=0.1), ProbeGateSettings(pairs=("a > b",)))
    )
