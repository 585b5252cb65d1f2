"""Noise matched to targets: for each target some noise clips of the same length from the same recording.

Every annotation excludes noise, whatever its label or quality, widened by a margin. Each target first uses its own
recording; targets without room then use the other reviewed recordings of the group (the rest of the tape); only then
may noise overlap other noise. Each target has its own generator from (seed, target), so its noise does not depend on
later splits.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ossicle.core.digest import seed_of
from ossicle.core.intervals import Intervals
from ossicle.core.records import Clip
from ossicle.corpus.clips.noise_sampling import NoiseSpan, draw_start, without


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A target for which fewer noise clips were ``placed`` than ``asked``, for lack of room; times in seconds."""

    recording_id: str
    start_s: float
    end_s: float
    label: str
    asked: int
    placed: int


@dataclass(frozen=True, slots=True)
class MatchedNoise:
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
) -> MatchedNoise:
    """Return noise for ``targets``, sorted by recording and time: ``per_target`` each; a fraction is the chance of one
    more.

    ``free`` holds the stretches (n, 2), in seconds, known to be free of annotations, of every recording that may be
    mined; ``groups`` the group of each. With ``fallback`` a target without room in its own recording may use others of
    its group. A noise clip that fits nowhere is skipped; zero-length targets need none.
    """
    rngs = [np.random.default_rng(seed_of(seed, "beside", *_name(one))) for one in targets]
    asked = [_times(per_target, rng) if one.end_s > one.start_s else 0 for one, rng in zip(targets, rngs, strict=True)]
    found: list[list[NoiseSpan]] = [[] for _ in targets]
    room = dict(free)
    members: dict[str, list[str]] = defaultdict(list)
    for key in sorted(free):
        members[groups[key]].append(key)
    for overlapping in (False, True):
        for elsewhere in (False, True) if fallback else (False,):
            for i, one in enumerate(targets):
                own = one.recording_id
                places = [key for key in members[groups[own]] if key != own] if elsewhere else [own]
                while len(found[i]) < asked[i]:
                    span = _draw(free if overlapping else room, places, one.end_s - one.start_s, rngs[i])
                    if span is None:
                        break
                    found[i].append(span)
                    room[span.recording_id] = without(room[span.recording_id], span.start_s, span.end_s)
    return MatchedNoise(tuple(asked), tuple(tuple(sorted(spans, key=_place)) for spans in found))


def _times(per_target: float, rng: np.random.Generator) -> int:
    whole = int(per_target)
    return whole + int(rng.random() < per_target - whole)


def _draw(
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


def _name(one: Clip) -> tuple[str, ...]:
    return one.recording_id, repr(one.start_s), repr(one.end_s), one.label


def _place(one: NoiseSpan) -> tuple[str, float, float]:
    return one.recording_id, one.start_s, one.end_s
