"""Several models as one predictor: each reads its own chunks of the same sound, and a rule makes their scores one.

Members may differ in context, chunk length, front end and rate, but not in hop: their frames must stand for the same
stretches. The ensemble has a joint plan whose core holds whole chunks of every member and whose context holds what each
of them needs, so a member is given exactly the chunks that it would read by itself, and whatever feeds a predictor
(batch, stream, gate) feeds an ensemble too, from one decoding of the recording. Where all plans are equal the joint one
is that plan. Sound comes at the highest rate; a member of a lower one gets its chunks resampled, with a margin in which
the filter settles: its scores agree with its own within about 1e-4, but for a frame or two at a recording's very ends.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.resample import Resampler, common_period, margin_samples
from ossicle.bundle.ensembles import RANKS, read_ranks
from ossicle.bundle.format import member_bundles
from ossicle.bundle.manifest import Bundle
from ossicle.core.chunks import ChunkPlan
from ossicle.core.combination import RANK, Combination
from ossicle.core.errors import BundleError, UsageError
from ossicle.inference.ensembles.combining import Scores, columns_by_name, combine
from ossicle.inference.predictor import Predictor

MOST_CORE_SAMPLES = 1 << 22
"""A joint core longer than this (131 s at 32 kHz) would cost memory and latency that nobody asked for."""


class Ensemble:
    """A predictor made of predictors; ``members`` are (name, predictor), names being for messages.

    ``tables``: float32 (n_members, n_rows, n_labels) for the rule ``rank``, columns in the order of ``labels``. Raises
    UsageError where labels or frame grids do not fit, ValueError where weights or tables do not.
    """

    def __init__(
        self, members: Sequence[tuple[str, Predictor]], how: Combination, tables: Scores | None = None
    ) -> None:
        if not members:
            raise UsageError("an ensemble needs at least one member")
        self.labels, columns = columns_by_name({name: tuple(one.labels) for name, one in members})
        self.plan = joint_plan([(name, one.plan) for name, one in members])
        self._how, self._tables = how, tables
        how.shares(len(members))
        self._members = [_Member(one, self.plan, columns[name]) for name, one in members]

    def predict(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of the core frames of (batch, plan.chunk_samples) chunks, (batch, plan.core_frames, n_labels)."""
        n_chunks, n_frames = len(chunks), self.plan.core_frames
        scores = np.stack([one.scores(chunks).reshape(n_chunks * n_frames, -1) for one in self._members])
        return combine(scores, self._how, self._tables).reshape(n_chunks, n_frames, -1)


def bundled_ensemble(bundle: Bundle, open_member: Callable[[Bundle], Predictor]) -> Ensemble:
    """The predictor of a bundle that is an ensemble, its members opened by ``open_member``; raises BundleError."""
    if bundle.ensemble is None:
        raise BundleError(f"{bundle.folder} is no ensemble")
    how, tables = bundle.ensemble.how, None
    if how.rule == RANK:
        tables = read_ranks(bundle.read_bytes(RANKS), bundle.folder / RANKS, how, len(bundle.labels))
    opened = [(name, open_member(one)) for name, one in member_bundles(bundle).items()]
    try:
        found = Ensemble(opened, how, tables)
    except (UsageError, ValueError) as error:
        raise BundleError(f"{bundle.folder}: its members do not make an ensemble: {error}") from error
    if found.labels != bundle.labels or found.plan != bundle.plan:
        raise BundleError(f"{bundle.folder}: labels and plan are not those of its members")
    return found


def joint_plan(plans: Sequence[tuple[str, ChunkPlan]]) -> ChunkPlan:
    """The plan on which all of ``plans`` (name and plan) can be read; raises UsageError where there is none."""
    (first, plan), *_ = plans
    for name, other in plans:
        if other.hop_samples * plan.rate != plan.hop_samples * other.rate:
            raise UsageError(
                f"{name!r} has a frame every {other.hop_s * 1000:g} ms and {first!r} one every {plan.hop_s * 1000:g} "
                "ms: members of an ensemble need the same hop; train them with the same [frontend] hop_samples / rate, "
                "or, for windows, the same [chunks] step_s with exact_step = true"
            )
    if all(other == plan for _, other in plans):
        return plan
    widest = max((one for _, one in plans), key=lambda one: one.rate)
    core_frames = math.lcm(*(one.core_frames for _, one in plans))
    if core_frames * widest.hop_samples > MOST_CORE_SAMPLES:
        lengths = ", ".join(f"{name} {one.core_frames}" for name, one in plans)
        raise UsageError(
            f"chunks of {lengths} frames meet only every {core_frames * widest.hop_s:.0f} s: train the members of an "
            "ensemble with the same [chunks] core_s, or with lengths that are multiples of each other"
        )
    context_frames = max(_context_frames(one, widest) for _, one in plans)
    return ChunkPlan(
        rate=widest.rate,
        hop_samples=widest.hop_samples,
        window_samples=widest.hop_samples,
        core_frames=core_frames,
        context_frames=context_frames,
    )


def _context_frames(plan: ChunkPlan, joint: ChunkPlan) -> int:
    """Frames before a core of the joint plan that a member of ``plan`` needs, with the margin of its resampling."""
    lead_s = plan.lead_samples / plan.rate + _margin(joint.rate, plan.rate) / joint.rate
    return max(0, math.ceil(round(lead_s / joint.hop_s, 9)))


def _margin(rate: int, new_rate: int) -> int:
    """Samples at ``rate`` that resampling needs on each side, in whole periods of both rates."""
    period = common_period(rate, new_rate)
    return -(-margin_samples(rate, new_rate) // period) * period


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a member's chunks begin in a joint chunk at its own rate, and where the cut itself does in joint samples.

    The joint samples [first, stop) hold all of them with the margin; ``skipped`` samples of the resampled cut come
    before the first chunk.
    """

    first: int
    stop: int
    skipped: int


class _Member:
    """A member and how its chunks lie in those of the joint plan."""

    def __init__(self, predictor: Predictor, joint: ChunkPlan, columns: list[int]) -> None:
        self._predictor, self._plan, self._joint, self._columns = predictor, predictor.plan, joint, columns
        self._n_chunks = joint.core_frames // self._plan.core_frames
        self._cut = _cut(self._plan, joint, self._n_chunks)

    def scores(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of (batch, joint chunk_samples) chunks, (batch, core_frames, n_labels), labels in joint order."""
        own = chunks if self._plan == self._joint else self._own_chunks(chunks)
        found = self._predictor.predict(own)
        joined: NDArray[np.float32] = found.reshape(len(chunks), self._joint.core_frames, -1)[:, :, self._columns]
        return joined

    def _own_chunks(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """The member's chunks in order of time, (batch * n, chunk_samples), from joint ones."""
        cut, length, step = self._cut, self._plan.chunk_samples, self._plan.core_samples
        heard = chunks[:, cut.first : cut.stop]
        if self._plan.rate != self._joint.rate:
            heard = np.stack([Resampler(self._joint.rate, self._plan.rate).feed(one, last=True) for one in heard])
        starts = cut.skipped + step * np.arange(self._n_chunks)
        return np.stack([one[start : start + length] for one in heard for start in starts.tolist()])


def _cut(plan: ChunkPlan, joint: ChunkPlan, n_chunks: int) -> _Cut:
    period, own_period = common_period(joint.rate, plan.rate), common_period(plan.rate, joint.rate)
    # In the member's samples, from the start of the joint core; negative where the first chunk leads it.
    begin = -plan.lead_samples
    end = begin + (n_chunks - 1) * plan.core_samples + plan.chunk_samples
    margin = _margin(joint.rate, plan.rate) // period
    # Both rates meet on whole periods only: the cut begins on one, so that the chunks keep their phase.
    first_period, stop_period = begin // own_period - margin, -(-end // own_period) + margin
    first, stop = joint.lead_samples + first_period * period, joint.lead_samples + stop_period * period
    # The core itself begins on a period, but what the joint chunk holds before it need not: cut whole periods.
    first = max(first, joint.lead_samples % period)
    skipped = begin - (first - joint.lead_samples) // period * own_period
    return _Cut(first, min(stop, joint.chunk_samples), skipped)
