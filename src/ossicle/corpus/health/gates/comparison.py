"""What changed since an earlier health report: labels that shrank, new unknown labels, gates that failed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ossicle.core.errors import UsageError
from ossicle.core.text.counting import counted
from ossicle.corpus.health.gates.figures import EventFigures
from ossicle.corpus.health.gates.gates import Gate
from ossicle.corpus.health.gates.settings import NO_LIMIT, HealthSettings

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """What an earlier report says: events by label, unknown labels, and each gate by name with whether it passed."""

    classes: Mapping[str, int]
    unknown_labels: tuple[str, ...]
    gates: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class ClassChange:
    """Events of one label in the earlier report and now."""

    label: str
    before: int
    now: int

    @property
    def drop(self) -> float:
        """Share by which the label shrank; 0 or negative if it did not."""
        return (self.before - self.now) / self.before if self.before else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Changes since an earlier report.

    Attributes
    ----------
    classes
        Labels whose counts differ, those that shrank most first.
    new_unknown_labels
        Unknown labels that the earlier report did not have.
    newly_failed, mended, gone
        Names of gates that failed now but not earlier, that passed now but not earlier, and that have no limit any
        more.
    """

    classes: tuple[ClassChange, ...]
    new_unknown_labels: tuple[str, ...]
    newly_failed: tuple[str, ...]
    mended: tuple[str, ...]
    gone: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def earlier_report(report: object, name: str) -> EarlierReport:
    """Return what an earlier report says.

    Parameters
    ----------
    report
        The values of its JSON, of ``ossicle dataset health --json`` of any version.
    name
        Its file, for messages.

    Raises
    ------
    UsageError
        It is no health report.
    """
    try:
        return _read(report)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            f"{name} is not a health report; give a file that `ossicle dataset health --json` printed"
        ) from None


def _read(report: Any) -> EarlierReport:
    if "events" in report:
        events = report["events"]
        classes = {str(label): _count(entry["total"]) for label, entry in events["classes"].items()}
        unknown = tuple(map(str, events["unknown_labels"]))
    else:
        # Reports from before there were gates.
        classes = {str(entry["label"]): _count(entry["annotations"]) for entry in report["by_label"]}
        unknown = ()
    return EarlierReport(
        classes, unknown, {str(entry["name"]): entry["passed"] is True for entry in report.get("gates", ())}
    )


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(value)
    return value


def compare(earlier: EarlierReport, figures: EventFigures, gates: Sequence[Gate]) -> Comparison:
    """Return the changes since an earlier report, given the figures and gates of now."""
    counts = {label: class_count.total for label, class_count in figures.classes.items()}
    changes = [
        ClassChange(label, earlier.classes.get(label, 0), counts.get(label, 0)) for label in {*counts, *earlier.classes}
    ]
    passed = {gate.name: gate.passed for gate in gates}
    return Comparison(
        tuple(
            sorted(
                (change for change in changes if change.before != change.now),
                key=lambda class_change: (-class_change.drop, class_change.label),
            )
        ),
        tuple(label for label in figures.unknown_labels if label not in earlier.unknown_labels),
        tuple(name for name, good in passed.items() if not good and earlier.gates.get(name, True)),
        tuple(name for name, good in passed.items() if good and not earlier.gates.get(name, True)),
        tuple(name for name in earlier.gates if name not in passed and not name.startswith("compared_")),
    )


def comparison_gates(comparison: Comparison, settings: HealthSettings) -> Iterator[Gate]:
    """Yield the gates of a comparison: no label may shrink beyond the limit, and no unknown label may be new."""
    if settings.max_class_drop < NO_LIMIT:
        shrunk = [
            class_change
            for class_change in comparison.classes
            if class_change.drop > settings.max_class_drop + _ROUNDING
        ]
        detail = f"{counted(len(shrunk), 'label')} shrank by more than {100 * settings.max_class_drop:g} %"
        reasons = tuple(
            f"{class_change.label!r} shrank from {class_change.before} to {class_change.now} events"
            for class_change in shrunk
        )
        yield Gate("compared_classes", not shrunk, detail, reasons)
    new = comparison.new_unknown_labels
    if settings.labels:
        reasons = tuple(f"{label!r} is unknown and new" for label in new)
        yield Gate("compared_unknown_labels", not new, counted(len(new), "new unknown label"), reasons)
