"""An earlier report: what shrank, what is new, what failed, and files that are none."""

import json
from typing import Any

import pytest

from ossicle.core.errors import UsageError
from ossicle.corpus.health.gates.comparison import Comparison, EarlierReport, compare, comparison_gates, earlier_report
from ossicle.corpus.health.gates.figures import event_figures
from ossicle.corpus.health.gates.gates import Gate, health_gates
from ossicle.corpus.health.gates.settings import HealthSettings

from .made_events import Hit, columns


def hits(**counts: int) -> list[Hit]:
    return [("a.wav", float(n), label) for label, number in counts.items() for n in range(number)]


def report(settings: HealthSettings, **counts: int) -> dict[str, Any]:
    figures = event_figures(columns(hits(**counts)), settings)
    gates = [gate.to_json() for gate in health_gates(figures, settings)]
    return json.loads(json.dumps({"events": figures.to_json(), "gates": gates}))


def compared(earlier: EarlierReport, settings: HealthSettings, **counts: int) -> tuple[Comparison, dict[str, Gate]]:
    figures = event_figures(columns(hits(**counts)), settings)
    comparison = compare(earlier, figures, health_gates(figures, settings))
    return comparison, {gate.name: gate for gate in comparison_gates(comparison, settings)}


def test_a_label_that_shrinks_fails() -> None:
    settings = HealthSettings(max_class_drop=0.1)
    earlier = earlier_report(report(settings, kick=10, snare=10, tom=2), "old.json")
    comparison, gates = compared(earlier, settings, kick=9, snare=8, crash=1)
    assert [(class_change.label, class_change.before, class_change.now) for class_change in comparison.classes] == [
        ("tom", 2, 0),
        ("snare", 10, 8),
        ("kick", 10, 9),
        ("crash", 0, 1),
    ]
    assert gates["compared_classes"].reasons == (
        "'tom' shrank from 2 to 0 events",
        "'snare' shrank from 10 to 8 events",
    )
    assert compared(earlier, HealthSettings(max_class_drop=1.0), kick=1)[1] == {}


def test_the_same_events_pass() -> None:
    settings = HealthSettings(labels=("kick",))
    earlier = earlier_report(report(settings, kick=3), "old.json")
    comparison, gates = compared(earlier, settings, kick=3)
    assert (comparison.classes, comparison.newly_failed, comparison.mended, comparison.gone) == ((), (), (), ())
    assert all(gate.passed for gate in gates.values())
    assert set(gates) == {"compared_classes", "compared_unknown_labels"}


def test_a_new_unknown_label_fails_even_where_some_are_allowed() -> None:
    settings = HealthSettings(labels=("kick",), max_unknown_labels=5)
    earlier = earlier_report(report(settings, kick=1, tom=1), "old.json")
    gate = compared(earlier, settings, kick=1, tom=1, crash=1)[1]["compared_unknown_labels"]
    assert gate.reasons == ("'crash' is unknown and new",)
    assert compared(earlier, settings, kick=1, tom=1)[1]["compared_unknown_labels"].passed


def test_gates_that_failed_were_mended_or_are_gone_are_named() -> None:
    earlier = earlier_report(report(HealthSettings(class_min=3, labels=("kick", "tom")), kick=3, tom=1), "old.json")
    comparison, _ = compared(earlier, HealthSettings(class_min=3, required_labels=("crash",)), kick=3, tom=3)
    assert (comparison.newly_failed, comparison.mended, comparison.gone) == (
        ("required_labels",),
        ("class_minimum",),
        ("unknown_labels",),
    )


def test_a_report_from_before_there_were_gates_is_compared_by_its_labels() -> None:
    earlier = earlier_report({"by_label": [{"label": "kick", "annotations": 4}], "problems": []}, "old.json")
    comparison, gates = compared(earlier, HealthSettings(), kick=3)
    assert [(class_change.label, class_change.before, class_change.now) for class_change in comparison.classes] == [
        ("kick", 4, 3)
    ]
    assert not gates["compared_classes"].passed


@pytest.mark.parametrize(
    "value",
    [
        [],
        None,
        7,
        "text",
        {},
        {"events": 3},
        {"events": {"classes": {"kick": {"total": "many"}}, "unknown_labels": {}}},
        {"events": {"classes": {"kick": {"total": -1}}, "unknown_labels": {}}},
        {"events": {"classes": [], "unknown_labels": {}}},
        {"events": {"classes": {}, "unknown_labels": {}}, "gates": [3]},
        {"events": {"classes": {}, "unknown_labels": {}}, "gates": 3},
        {"by_label": [{"label": "kick"}]},
    ],
)
def test_what_is_no_report_is_refused_by_its_name(value: object) -> None:
    with pytest.raises(UsageError, match=r"old\.json is not a health report"):
        earlier_report(value, "old.json")
