"""Noise clips with one Python object for each span: the oracle of the columns of noise.

This is how Ossicle mined noise before it kept annotations and clips as columns.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ossicle.core.digest import seed_of
from ossicle.core.intervals import Intervals, as_intervals, both, gaps, union, widen
from ossicle.core.records import Annotation, Clip, Recording
from ossicle.corpus.clips.noise_sampling import MiningRow, NoiseSpan, _shares, draw_start, without
from ossicle.corpus.clips.sampling_report import TapeMining

_TOUCH_S = 1e-9


def free_stretches(recording: Recording, annotations: Iterable[Annotation], margin_s: float) -> Intervals:
    """Return the parts of the recording outside all annotations, widened by ``margin_s`` seconds: shape (n, 2),
    seconds.
    """
    busy = as_intervals([(a.start_s, a.end_s) for a in annotations if a.recording_id == recording.id])
    return gaps(union(widen(busy, margin_s)), 0.0, recording.duration_s)


def mine_noise(
    recordings: Sequence[Recording],
    annotations: Iterable[Annotation],
    n: int,
    lengths_s: Sequence[float],
    margin_s: float,
    seed: int,
    partly: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> tuple[list[NoiseSpan], list[MiningRow]]:
    """Draw ``n`` noise spans, each of a length drawn from ``lengths_s`` (seconds), sorted by recording and start.

    Unreviewed and left-out recordings are skipped; in recordings of ``partly`` (seconds, by id), of which only some
    stretches were checked, spans lie in these. Each recording has its own generator from (seed, recording id). A span
    that fits nowhere is counted as skipped, never shortened or moved to a neighbour.
    """
    if n < 0 or not lengths_s or min(lengths_s) <= 0:
        raise ValueError(f"mining needs n >= 0 and positive lengths, got n = {n} and lengths {list(lengths_s)}")
    by_recording: dict[str, list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        by_recording[annotation.recording_id].append(annotation)
    looked = {key: as_intervals(times) for key, times in (partly or {}).items()}
    usable = [r for r in recordings if (r.reviewed or r.id in looked) and r.status != "left_out"]
    usable.sort(key=lambda r: r.id)
    free = [free_stretches(r, by_recording[r.id], margin_s) for r in usable]
    free = [
        both(stretches, looked[r.id]) if r.id in looked else stretches
        for r, stretches in zip(usable, free, strict=True)
    ]
    spans: list[NoiseSpan] = []
    rows: list[MiningRow] = []
    for recording, stretches, share in zip(usable, free, _shares(free, min(lengths_s), n), strict=True):
        rng = np.random.default_rng(seed_of(seed, "noise", recording.id))
        lengths = rng.choice(np.asarray(lengths_s, dtype=np.float64), size=share)
        placed, overlapping = _place(stretches, lengths, rng)
        spans.extend(NoiseSpan(recording.id, start, end) for start, end in placed)
        free_s = float((stretches[:, 1] - stretches[:, 0]).sum())
        rows.append(MiningRow(recording.id, free_s, share, len(placed), overlapping, share - len(placed)))
    return spans, rows


def _place(
    stretches: Intervals, lengths: np.ndarray[tuple[int], np.dtype[np.float64]], rng: np.random.Generator
) -> tuple[list[tuple[float, float]], int]:
    """Return spans inside ``stretches``, separate while there is room, and how many had to overlap."""
    room = stretches
    placed: list[tuple[float, float]] = []
    overlapping = 0
    for length in sorted(lengths, reverse=True):  # the longest first, while there is room
        start = draw_start(room, length, rng)
        if start is None:
            start = draw_start(stretches, length, rng)
            if start is None:
                continue
            overlapping += 1
        placed.append((start, start + length))
        room = without(room, start, start + length)
    return sorted(placed), overlapping


def mining_report(asked: Mapping[str, int], fallback: Mapping[str, int], clips: Iterable[Clip]) -> list[TapeMining]:
    """Return one row per group, sorted: ``asked`` and ``fallback`` give noise by group, the rest is counted from
    ``clips``.
    """
    by_group: dict[str, list[Clip]] = {group: [] for group in asked}
    for clip in clips:
        by_group.setdefault(clip.group, []).append(clip)
    rows = []
    for group, group_clips in sorted(by_group.items()):
        noise = [clip for clip in group_clips if clip.role == "noise"]
        counts = Counter((clip.recording_id, clip.start_s, clip.end_s, clip.role, clip.label) for clip in group_clips)
        rows.append(
            TapeMining(
                group=group,
                asked=asked.get(group, 0),
                placed=len(noise),
                from_fallback=fallback.get(group, 0),
                skipped=asked.get(group, 0) - len(noise),
                overlapping=_overlapping(noise),
                duplicates=sum(counts.values()) - len(counts),
            )
        )
    return rows


def _overlapping(noise: Sequence[Clip]) -> int:
    spans_of: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for clip in noise:
        spans_of[clip.recording_id].append((clip.start_s, clip.end_s))
    count = 0
    for spans in spans_of.values():
        reach = float("-inf")
        for start_s, end_s in sorted(spans):
            count += start_s < reach - _TOUCH_S
            reach = max(reach, end_s)
    return count


@dataclass(frozen=True, slots=True)
class ObjectNoise:
    """Noise by target: ``spans[i]`` and ``asked[i]`` are those of target ``i``.

    A span in a recording other than its target's comes from the fallback.
    """

    asked: tuple[int, ...]
    spans: tuple[tuple[NoiseSpan, ...], ...]


def mine_beside(
    targets: Sequence[Clip],
    free: Mapping[str, Intervals],
    groups: Mapping[str, str],
    per_target: float,
    fallback: bool,
    seed: int,
) -> ObjectNoise:
    """Return noise for ``targets``, sorted by recording and time: ``per_target`` each; a fraction is the chance of one
    more.

    ``free`` holds the stretches (n, 2), in seconds, known to be free of annotations, of every recording that may be
    mined; ``groups`` the group of each. With ``fallback`` a target without room in its own recording may use others of
    its group. A noise clip that fits nowhere is skipped; zero-length targets need none.
    """
    rngs = [np.random.default_rng(seed_of(seed, "beside", *_clip_name(target))) for target in targets]
    n_asked = [
        _times(per_target, rng) if target.end_s > target.start_s else 0
        for target, rng in zip(targets, rngs, strict=True)
    ]
    placed_spans: list[list[NoiseSpan]] = [[] for _ in targets]
    room = dict(free)
    members: dict[str, list[str]] = defaultdict(list)
    for key in sorted(free):
        members[groups[key]].append(key)
    for overlapping in (False, True):
        for elsewhere in (False, True) if fallback else (False,):
            for i, target in enumerate(targets):
                own = target.recording_id
                places = [key for key in members[groups[own]] if key != own] if elsewhere else [own]
                while len(placed_spans[i]) < n_asked[i]:
                    span = _draw_span(free if overlapping else room, places, target.end_s - target.start_s, rngs[i])
                    if span is None:
                        break
                    placed_spans[i].append(span)
                    room[span.recording_id] = without(room[span.recording_id], span.start_s, span.end_s)
    return ObjectNoise(tuple(n_asked), tuple(tuple(sorted(spans, key=_span_place)) for spans in placed_spans))


def _times(per_target: float, rng: np.random.Generator) -> int:
    whole = int(per_target)
    return whole + int(rng.random() < per_target - whole)


def _draw_span(
    free: Mapping[str, Intervals], places: Sequence[str], length_s: float, rng: np.random.Generator
) -> NoiseSpan | None:
    """Return a span in one of the recordings ``places``; every admissible start of all of them is equally likely."""
    slack = [float(np.maximum(free[key][:, 1] - free[key][:, 0] - length_s, 0.0).sum()) for key in places]
    fits = [bool(np.any(free[key][:, 1] - free[key][:, 0] >= length_s)) for key in places]
    if not any(fits):
        return None
    weight = np.array(slack) if sum(slack) > 0 else np.array(fits, dtype=np.float64)
    key = places[int(rng.choice(len(places), p=weight / weight.sum()))]
    start_s = draw_start(free[key], length_s, rng)
    return None if start_s is None else NoiseSpan(key, start_s, start_s + length_s)


def _clip_name(clip: Clip) -> tuple[str, ...]:
    return clip.recording_id, repr(clip.start_s), repr(clip.end_s), clip.label


def _span_place(noise_span: NoiseSpan) -> tuple[str, float, float]:
    return noise_span.recording_id, noise_span.start_s, noise_span.end_s
