"""The health gates: each compares one figure with its limit in ``[health]``, and says why it failed.

A gate without a limit is not there. A gate whose limit was set, but whose figure the data cannot give, fails: a check
that measures nothing must not pass.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from ossicle.core.text.counting import counted
from ossicle.corpus.health.gates.figures import EventFigures, Share
from ossicle.corpus.health.gates.repeats import Repeats
from ossicle.corpus.health.gates.settings import NO_LIMIT, HealthSettings
from ossicle.corpus.health.gates.totals import Total

_ROUNDING = 1e-9
_REPEATED = {
    "events": ("max_repeated_events", "events repeat another one (same recording, start and label)"),
    "event_id": ("max_repeated_ids", "events have the event_id of an earlier one"),
    "sample_id": ("max_repeated_ids", "events have the sample_id of an earlier one"),
    "audio": ("max_repeated_audio", "recordings have the bytes of another one"),
}


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: its name, whether it passed, what was compared, and why it failed (empty if it passed)."""

    name: str
    passed: bool
    detail: str
    reasons: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def health_gates(
    figures: EventFigures, settings: HealthSettings, totals: Sequence[Total] = (), *, not_asked: Collection[str] = ()
) -> tuple[Gate, ...]:
    """Return the gates that have a limit.

    Parameters
    ----------
    figures
        Figures of the events.
    settings
        The limits.
    totals
        Numbers that must agree.
    not_asked
        Gates that this kind of data cannot have (``repeated_audio`` of a manifest): they are left out where nothing was
        measured, whatever their limits.
    """
    return tuple(_gates(figures, settings, totals, not_asked))


def _gates(
    figures: EventFigures, settings: HealthSettings, totals: Sequence[Total], not_asked: Collection[str]
) -> Iterator[Gate]:
    yield from _class_minimum(figures, settings)
    yield from _required("required_labels", "label", settings.required_labels, _totals_of(figures))
    yield from _required("required_techniques", "technique", settings.required_techniques, figures.techniques)
    if settings.labels:
        yield _unknown_labels(figures, settings)
    yield from _repeats(figures, settings, not_asked)
    yield from _share("quiet", "max_quiet", figures.quiet, settings, f"sounds are below {settings.quiet_db:g} dB")
    overdriven = f"sounds have a peak at or above {settings.peak_db:g} dBFS"
    yield from _share("overdriven", "max_overdriven", figures.overdriven, settings, overdriven)
    if settings.shortest_s or settings.longest_s:
        yield from _share("durations", "max_outside_durations", figures.outside_durations, settings, _range(settings))
    together = f"events start within {1000 * settings.overlap_s:g} ms of one with another label"
    yield from _share("overlap", "max_overlap", figures.overlap, settings, together)
    for total in totals:
        if total.tolerance < NO_LIMIT:
            yield Gate(total.name, total.agrees, total.in_words, () if total.agrees else (total.remedy,))


def _totals_of(figures: EventFigures) -> dict[str, int]:
    return {label: class_count.total for label, class_count in figures.classes.items()}


def _class_minimum(figures: EventFigures, settings: HealthSettings) -> Iterator[Gate]:
    counts = _totals_of(figures)
    least = {label: settings.least_of(label) for label in counts if settings.least_of(label)}
    if not least:
        return
    few = [
        f"{label!r} {'is absent' if not counts[label] else f'has {counts[label]}'}, needs {needed}"
        for label, needed in least.items()
        if counts[label] < needed
    ]
    detail = f"{len(least) - len(few)} of {len(least)} labels have as many events as they need"
    yield Gate("class_minimum", not few, detail, tuple(few))


def _required(name: str, noun: str, required: Sequence[str], counts: Mapping[str, int] | None) -> Iterator[Gate]:
    if not required:
        return
    absent = [name_required for name_required in required if not (counts or {}).get(name_required)]
    reasons = tuple(f"{noun} {name_required!r} is absent" for name_required in absent)
    if counts is None:
        reasons = (f"no event states a {noun}, and {', '.join(map(repr, required))} must occur",)
    yield Gate(name, not reasons, f"{len(required) - len(absent)} of {len(required)} {noun}s occur", reasons)


def _unknown_labels(figures: EventFigures, settings: HealthSettings) -> Gate:
    unknown_labels = figures.unknown_labels
    listed = tuple(f"{label!r} ({count} events) is not in labels" for label, count in unknown_labels.items())
    passed = len(unknown_labels) <= settings.max_unknown_labels
    detail = f"{counted(len(unknown_labels), 'unknown label')} (limit {settings.max_unknown_labels})"
    return Gate("unknown_labels", passed, detail, () if passed else listed)


def _repeats(figures: EventFigures, settings: HealthSettings, not_asked: Collection[str]) -> Iterator[Gate]:
    measured = figures.repeats
    for key, (limit_name, description) in _REPEATED.items():
        name = "repeated_audio" if key == "audio" else f"repeated_{key}"
        if key in measured:
            repeats: Repeats = measured[key]
            yield from _share(
                name, limit_name, Share(repeats.repeats, repeats.counted), settings, description, repeats.examples
            )
    if "repeated_ids" not in not_asked and not {"event_id", "sample_id"} & set(measured):
        yield from _unmeasured("repeated_ids", "max_repeated_ids", settings, "no event states an event_id or sample_id")
    if "repeated_audio" not in not_asked and "audio" not in measured:
        yield from _unmeasured("repeated_audio", "max_repeated_audio", settings, "no recording was read")


def _range(settings: HealthSettings) -> str:
    longest = f" or longer than {settings.longest_s:g} s" if settings.longest_s else ""
    return f"events are shorter than {settings.shortest_s:g} s{longest}"


def _share(
    name: str,
    limit_name: str,
    share: Share | None,
    settings: HealthSettings,
    noun: str,
    examples: Sequence[str] = (),
) -> Iterator[Gate]:
    """Yield the gate of a share, unless it has no limit."""
    limit: float = getattr(settings, limit_name)
    if limit >= NO_LIMIT:
        return
    if share is None or share.share is None:
        yield from _unmeasured(name, limit_name, settings, "nothing was measured")
        return
    passed = share.share <= limit + _ROUNDING
    detail = f"{share.count} of {share.of} {noun} ({_percent(share.share)}, limit {_percent(limit)})"
    reasons = () if passed else (detail, *(f"for example {example}" for example in examples[:1]))
    yield Gate(name, passed, detail, reasons)


def _unmeasured(name: str, limit_name: str, settings: HealthSettings, reason_unmeasured: str) -> Iterator[Gate]:
    """Yield a failed gate if its limit was set: a check that measures nothing must not pass.

    The defaults of repeats act where something can be measured.
    """
    limit = getattr(settings, limit_name)
    repeats = limit_name in ("max_repeated_events", "max_repeated_ids", "max_repeated_audio")
    if limit >= NO_LIMIT or (repeats and limit == _default(limit_name)):
        return
    reason = f"{reason_unmeasured}; set health.{limit_name} = 1 to leave this gate out"
    yield Gate(name, passed=False, detail="not measured", reasons=(reason,))


def _default(name: str) -> Any:
    (spec,) = (field for field in fields(HealthSettings) if field.name == name)
    return None if spec.default is MISSING else spec.default


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
