"""Results of mining on each tape (group), counted from the clips themselves and not from the miner's own report."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ossicle.core.errors import SplitError
from ossicle.core.records import Clip

_TOUCH_S = 1e-9


@dataclass(frozen=True, slots=True)
class TapeMining:
    """Noise mined on one tape: ``asked == placed + skipped``; ``from_fallback`` of the placed lie in another recording
    than their target.

    ``overlapping`` noise clips share time with an earlier one; ``duplicates`` are clips of any role that equal an
    earlier one in times and label.
    """

    group: str
    asked: int
    placed: int
    from_fallback: int
    skipped: int
    overlapping: int
    duplicates: int


def mining_report(asked: Mapping[str, int], fallback: Mapping[str, int], clips: Iterable[Clip]) -> list[TapeMining]:
    """Return one row per group, sorted: ``asked`` and ``fallback`` give noise by group, the rest is counted from
    ``clips``.
    """
    by_group: dict[str, list[Clip]] = {group: [] for group in asked}
    for one in clips:
        by_group.setdefault(one.group, []).append(one)
    rows = []
    for group, mine in sorted(by_group.items()):
        noise = [one for one in mine if one.role == "noise"]
        seen = Counter((one.recording_id, one.start_s, one.end_s, one.role, one.label) for one in mine)
        rows.append(
            TapeMining(
                group=group,
                asked=asked.get(group, 0),
                placed=len(noise),
                from_fallback=fallback.get(group, 0),
                skipped=asked.get(group, 0) - len(noise),
                overlapping=_overlapping(noise),
                duplicates=sum(seen.values()) - len(seen),
            )
        )
    return rows


def refuse_overlaps(rows: Iterable[TapeMining]) -> None:
    """Raise SplitError, naming every tape, if noise overlaps other noise or a clip occurs twice."""
    bad = [
        f"{row.group}: {row.overlapping} overlapping, {row.duplicates} exact duplicates"
        for row in rows
        if row.overlapping or row.duplicates
    ]
    if bad:
        raise SplitError(
            "[dataset] refuse_overlaps: clips overlap or occur twice:\n  "
            + "\n  ".join(bad)
            + "\nlower noise_per_target or margin_s, set fallback_raw = true, correct annotations that occur twice "
            "(`ossicle dataset health` lists them), or set refuse_overlaps = false"
        )


def _overlapping(noise: Sequence[Clip]) -> int:
    of: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in noise:
        of[one.recording_id].append((one.start_s, one.end_s))
    count = 0
    for spans in of.values():
        reach = float("-inf")
        for start_s, end_s in sorted(spans):
            count += start_s < reach - _TOUCH_S
            reach = max(reach, end_s)
    return count
