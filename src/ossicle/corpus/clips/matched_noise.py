"""Noise matched to targets: for each target some noise clips of the same length from the same recording.

Every annotation excludes noise, whatever its label or quality, widened by a margin. Each target first uses its own
recording; targets without room then use the other reviewed recordings of the group (the rest of the tape); only then
may noise overlap other noise. Each target has its own generator from (seed, target), so its noise does not depend on
later splits.
"""

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.core.intervals import Intervals
from ossicle.corpus.clips.noise_sampling import draw_start, without
from ossicle.corpus.clips.target_rows import TargetRows


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A target for which fewer noise clips were ``placed`` than ``asked``, for lack of room; times in seconds."""

    recording_id: str
    start_s: float
    end_s: float
    label: str
    asked: int
    placed: int


@dataclass(frozen=True, eq=False)
class MatchedNoise:
    """Noise by target, as columns.

    Attributes
    ----------
    n_asked
        int64 (n_targets,): noise clips that each target asks for.
    target, recording
        int64 (n,): the target of each noise clip, and the place of the recording that holds it. Another one than that
        of the target comes from the fallback. Sorted by target, recording and times.
    start_s, end_s
        float64 (n,), seconds.
    """

    n_asked: NDArray[np.int64]
    target: NDArray[np.int64]
    recording: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]

    @property
    def placed(self) -> NDArray[np.int64]:
        """Noise clips of each target: int64 (n_targets,)."""
        return np.bincount(self.target, minlength=len(self.n_asked)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Mined:
    """Where noise may come from.

    Attributes
    ----------
    recording_ids
        Ids of the recordings, sorted; a recording is given by its place among them.
    groups
        The group of each recording.
    free
        Stretches (n, 2), in seconds, known to be free of annotations, by the place of each recording to mine.
    """

    recording_ids: Sequence[str]
    groups: Sequence[str]
    free: Mapping[int, Intervals]


def mine_beside(
    targets: TargetRows, labels: Sequence[str], mined: Mined, per_target: float, fallback: bool, seed: int
) -> MatchedNoise:
    """Return noise for targets: ``per_target`` each; a fraction is the chance of one more.

    A noise clip that fits nowhere is skipped; zero-length targets need none.

    Parameters
    ----------
    targets
        The targets, sorted by recording and time; their recordings are places in ``mined``.
    labels
        The labels of the annotations.
    mined
        The recordings, with the stretches that are free.
    per_target
        Noise clips a target.
    fallback
        Whether a target without room in its own recording may use others of its group.
    seed
        Each target has its own generator from (seed, target).
    """
    n_targets = len(targets.recording)
    room = _Room(
        n_targets,
        {recording: np.zeros((0, 2)) for recording in np.unique(targets.recording).tolist()} | dict(mined.free),
    )
    members: dict[str, list[int]] = defaultdict(list)
    for recording in sorted(room.free):
        members[mined.groups[recording]].append(recording)
    n_asked = np.zeros(n_targets, dtype=np.int64)
    missing: list[tuple[int, np.random.Generator]] = []
    rows = zip(
        targets.recording.tolist(),
        targets.start_s.tolist(),
        targets.end_s.tolist(),
        targets.label.tolist(),
        strict=True,
    )
    for row, (own_recording, start_s, end_s, label) in enumerate(rows):
        rng = np.random.default_rng(
            seed_of(seed, "beside", mined.recording_ids[own_recording], repr(start_s), repr(end_s), labels[label])
        )
        n = _times(per_target, rng) if end_s > start_s else 0
        n_asked[row] = n
        if room.take(row, [own_recording], end_s - start_s, n, rng) < n:
            missing.append((row, rng))
    for overlapping, elsewhere in ((False, True), (True, False), (True, True)):
        if elsewhere and not fallback:
            continue
        still = []
        for row, rng in missing:
            own_recording = int(targets.recording[row])
            places = (
                [recording for recording in members[mined.groups[own_recording]] if recording != own_recording]
                if elsewhere
                else [own_recording]
            )
            left = int(n_asked[row] - room.found[row])
            length_s = float(targets.end_s[row] - targets.start_s[row])
            if room.take(row, places, length_s, left, rng, overlapping=overlapping) < left:
                still.append((row, rng))
        missing = still
    return room.noise(n_asked)


class _Room:
    """Stretches that are still free, and the noise taken out of them.

    ``found``: int64 (n_targets,), the number of noise clips of each target.
    """

    def __init__(self, n_targets: int, free: dict[int, Intervals]) -> None:
        self.free = free
        self._left = dict(free)
        self.found: NDArray[np.int64] = np.zeros(n_targets, dtype=np.int64)
        self._rows, self._times = array("q"), array("d")

    def take(
        self,
        row: int,
        places: Sequence[int],
        length_s: float,
        n: int,
        rng: np.random.Generator,
        *,
        overlapping: bool = False,
    ) -> int:
        """Place up to ``n`` noise clips of a target, and return how many had room.

        With ``overlapping`` they may lie over other noise.
        """
        for done in range(n):
            span = _draw(self.free if overlapping else self._left, places, length_s, rng)
            if span is None:
                return done
            recording, start_s = span
            self._rows.extend((row, recording))
            self._times.extend((start_s, start_s + length_s))
            self.found[row] += 1
            self._left[recording] = without(self._left[recording], start_s, start_s + length_s)
        return n

    def noise(self, n_asked: NDArray[np.int64]) -> MatchedNoise:
        """Return all noise as columns."""
        rows = np.array(self._rows, dtype=np.int64).reshape(-1, 2)
        times = np.array(self._times, dtype=np.float64).reshape(-1, 2)
        order = np.lexsort((times[:, 1], times[:, 0], rows[:, 1], rows[:, 0]))
        rows, times = rows[order], times[order]
        return MatchedNoise(n_asked, rows[:, 0], rows[:, 1], times[:, 0], times[:, 1])


def _times(per_target: float, rng: np.random.Generator) -> int:
    whole = int(per_target)
    return whole + int(rng.random() < per_target - whole)


def _draw(
    free: Mapping[int, Intervals], places: Sequence[int], length_s: float, rng: np.random.Generator
) -> tuple[int, float] | None:
    """Return recording and start of a span in one of ``places``; every admissible start of all is equally likely."""
    slack = [float(np.maximum(free[key][:, 1] - free[key][:, 0] - length_s, 0.0).sum()) for key in places]
    fits = [bool(np.any(free[key][:, 1] - free[key][:, 0] >= length_s)) for key in places]
    if not any(fits):
        return None
    weight = np.array(slack) if sum(slack) > 0 else np.array(fits, dtype=np.float64)
    recording = places[int(rng.choice(len(places), p=weight / weight.sum()))]
    start_s = draw_start(free[recording], length_s, rng)
    return None if start_s is None else (recording, start_s)
