"""``[health]``: what the gates of ``ossicle dataset health`` require."""

from collections.abc import Mapping

from ossicle.core.settings import setting, settings

NO_LIMIT = 1.0
"""A share that nothing exceeds: the gate is off."""


@settings
class HealthSettings:
    """Limits of the health gates; a gate that fails ends ``ossicle dataset health`` with exit code 4.

    A minimum of 0, an empty list and a share of 1 switch a gate off. The defaults refuse only data of which more than
    half repeats.
    """

    labels: tuple[str, ...] = setting(
        default=(), help="the known labels; every other label is unknown; empty: all labels are known"
    )
    max_unknown_labels: int = setting(
        default=0, help="highest number of different unknown labels; acts only if `labels` is set", ge=0
    )
    class_min: int = setting(
        default=0, help="lowest number of events of every label, those of `labels` included; 0: no minimum", ge=0
    )
    class_minimums: Mapping[str, int] = setting(
        default={},
        help="lowest numbers of events of single labels, as {snare = 500, crash = 200}, which replace `class_min`; a "
        "label without events fails",
    )
    required_labels: tuple[str, ...] = setting(default=(), help="labels that must occur; one event is enough")
    required_techniques: tuple[str, ...] = setting(
        default=(), help="techniques that must occur in the events of a manifest"
    )
    max_repeated_events: float = setting(
        default=0.5,
        help="largest share of events that repeat another one: same recording, same start, same label; 1: no limit",
        ge=0,
        le=NO_LIMIT,
    )
    max_repeated_ids: float = setting(
        default=0.5,
        help="largest share of the events of a manifest whose event_id or sample_id occurred before; 1: no limit",
        ge=0,
        le=NO_LIMIT,
    )
    max_repeated_audio: float = setting(
        default=0.5,
        help="largest share of recordings whose bytes equal those of another recording; 1: no limit",
        ge=0,
        le=NO_LIMIT,
    )
    quiet_db: float = setting(
        default=-60.0,
        help="sounds below this loudness are quiet: LUFS stated in a manifest, or the level of a recording in dBFS",
        unit="dB",
        ge=-200,
        le=0,
    )
    max_quiet: float = setting(default=NO_LIMIT, help="largest share of quiet sounds; 1: no limit", ge=0, le=NO_LIMIT)
    peak_db: float = setting(
        default=-0.1, help="sounds with a peak at or above this are overdriven", unit="dBFS", ge=-200, le=20
    )
    max_overdriven: float = setting(
        default=NO_LIMIT, help="largest share of overdriven sounds; 1: no limit", ge=0, le=NO_LIMIT
    )
    shortest_s: float = setting(default=0.0, help="events shorter than this are too short", unit="s", ge=0)
    longest_s: float = setting(default=0.0, help="events longer than this are too long; 0: no limit", unit="s", ge=0)
    max_outside_durations: float = setting(
        default=0.0, help="largest share of events that are too short or too long; 1: no limit", ge=0, le=NO_LIMIT
    )
    overlap_s: float = setting(
        default=0.03,
        help="an event overlaps if one with another label starts in the same recording within this time",
        unit="s",
        ge=0,
        le=10,
    )
    max_overlap: float = setting(
        default=NO_LIMIT, help="largest share of events that overlap; 1: no limit", ge=0, le=NO_LIMIT
    )
    max_left_out: float = setting(
        default=NO_LIMIT,
        help="largest share of the annotations of a project that its dataset leaves out; 1: no limit",
        ge=0,
        le=NO_LIMIT,
    )
    max_class_drop: float = setting(
        default=0.0,
        help="largest share by which a label may shrink against the report given with `--compare`; 1: no limit",
        ge=0,
        le=NO_LIMIT,
    )

    def __post_init__(self) -> None:
        """Reject minimums that are no positive counts, labels without a name, and a range without durations."""
        for label, least in self.class_minimums.items():
            if not label.strip() or isinstance(least, bool) or not isinstance(least, int) or least < 1:
                raise ValueError(
                    f"class_minimums: {label!r} = {least!r}: give a label and a number of events from 1, as "
                    "{snare = 500}"
                )
        for name in ("labels", "required_labels", "required_techniques"):
            if any(not name_listed.strip() for name_listed in getattr(self, name)):
                raise ValueError(f"{name} contains an empty name: remove it")
        if self.longest_s and self.longest_s < self.shortest_s:
            raise ValueError(f"longest_s = {self.longest_s:g} s must not be below shortest_s = {self.shortest_s:g} s")

    def least_of(self, label: str) -> int:
        """Return the lowest number of events that a label must have; 0 for no minimum."""
        return self.class_minimums.get(label, self.class_min)
