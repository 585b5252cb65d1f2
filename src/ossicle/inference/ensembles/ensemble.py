"""Several models as one predictor: each reads its own chunks of the same sound, and a rule combines their scores.

Members may differ in context, chunk length, front end and rate, but not in hop: their frames must cover the same
stretches. The core of the ensemble's joint plan holds whole chunks of every member, and its context holds what each
member needs. A member therefore gets exactly the chunks that it would read by itself, and everything that feeds a
predictor (batch, stream, gate) feeds an ensemble too, from one decoding of the recording. If all plans are equal, the
joint plan is that plan.

Sound arrives at the highest rate. A member of a lower rate gets resampled chunks, with a margin in which the filter
settles: its scores agree with those it gives alone to within about 1e-4, except for a frame or two at the ends of a
recording.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.resample import Resampler, common_period, margin_samples
from ossicle.bundle.entries.ensembles import RANKS, read_ranks
from ossicle.bundle.format import member_bundles
from ossicle.bundle.manifest import Bundle
from ossicle.core.errors import BundleError, UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.scores.combination import RANK, Combination
from ossicle.inference.ensembles.combining import Scores, columns_by_name, combine
from ossicle.inference.predictor import Predictor

MOST_CORE_SAMPLES = 1 << 22
"""A joint core longer than this (131 s at 32 kHz) would take too much memory and latency."""


class Ensemble:
    """A predictor made of predictors.

    Parameters
    ----------
    members
        Name (for messages) and predictor of each member.
    how
        The rule and the weights.
    tables
        Reference scores for the rule ``rank``: float32 (n_members, n_rows, n_labels), columns in the order of
        ``labels``.

    Raises
    ------
    UsageError
        If labels or frame grids do not fit together.
    ValueError
        If weights or tables do not fit the members.
    """

    def __init__(
        self, members: Sequence[tuple[str, Predictor]], combination: Combination, tables: Scores | None = None
    ) -> None:
        if not members:
            raise UsageError("an ensemble needs at least one member")
        self.labels, columns = columns_by_name({name: tuple(predictor.labels) for name, predictor in members})
        self.plan = joint_plan([(name, predictor.plan) for name, predictor in members])
        self._combination, self._tables = combination, tables
        combination.shares(len(members))
        self._members = [_Member(predictor, self.plan, columns[name]) for name, predictor in members]

    def predict(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of the core frames of (batch, plan.chunk_samples) chunks: (batch, plan.core_frames,
        n_labels).
        """
        n_chunks, n_frames = len(chunks), self.plan.core_frames
        scores = np.stack([member.scores(chunks).reshape(n_chunks * n_frames, -1) for member in self._members])
        return combine(scores, self._combination, self._tables).reshape(n_chunks, n_frames, -1)


def bundled_ensemble(bundle: Bundle, open_member: Callable[[Bundle], Predictor]) -> Ensemble:
    """Return the predictor of a bundle that is an ensemble, with its members opened by ``open_member``.

    Raises
    ------
    BundleError
        If the members or their tables do not fit together.
    """
    if bundle.ensemble is None:
        raise BundleError(f"{bundle.folder} is not an ensemble")
    combination, tables = bundle.ensemble.combination, None
    if combination.rule == RANK:
        tables = read_ranks(bundle.read_bytes(RANKS), bundle.folder / RANKS, combination, len(bundle.labels))
    opened = [(name, open_member(member)) for name, member in member_bundles(bundle).items()]
    try:
        ensemble = Ensemble(opened, combination, tables)
    except (UsageError, ValueError) as error:
        raise BundleError(f"{bundle.folder}: its members do not fit together: {error}") from error
    if ensemble.labels != bundle.labels or ensemble.plan != bundle.plan:
        raise BundleError(f"{bundle.folder}: labels and plan are not those of its members")
    return ensemble


def joint_plan(plans: Sequence[tuple[str, ChunkPlan]]) -> ChunkPlan:
    """Return the plan on which all of ``plans`` (name and plan) can be read.

    Raises
    ------
    UsageError
        If there is no such plan.
    """
    (first, plan), *_ = plans
    for name, other in plans:
        if other.hop_samples * plan.rate != plan.hop_samples * other.rate:
            raise UsageError(
                f"{name!r} has a frame every {other.hop_s * 1000:g} ms and {first!r} one every {plan.hop_s * 1000:g} "
                "ms: members of an ensemble need the same hop; train them with the same [frontend] hop_samples / rate, "
                "or, for windows, the same [chunks] step_s with exact_step = true"
            )
    for name, other in plans:
        if other.channel != plan.channel:
            raise UsageError(
                f"{name!r} hears the channel {other.channel!r} and {first!r} {plan.channel!r}: members of an ensemble "
                "need the same one; train them with the same [audio] channel"
            )
    if all(other == plan for _, other in plans):
        return plan
    widest = max((chunk_plan for _, chunk_plan in plans), key=lambda chunk_plan: chunk_plan.rate)
    core_frames = math.lcm(*(chunk_plan.core_frames for _, chunk_plan in plans))
    if core_frames * widest.hop_samples > MOST_CORE_SAMPLES:
        lengths = ", ".join(f"{name} {chunk_plan.core_frames}" for name, chunk_plan in plans)
        raise UsageError(
            f"chunks of {lengths} frames meet only every {core_frames * widest.hop_s:.0f} s: train the members of an "
            "ensemble with the same [chunks] core_s, or with lengths that are multiples of each other"
        )
    context_frames = max(_context_frames(chunk_plan, widest) for _, chunk_plan in plans)
    return ChunkPlan(
        rate=widest.rate,
        hop_samples=widest.hop_samples,
        window_samples=widest.hop_samples,
        core_frames=core_frames,
        context_frames=context_frames,
        channel=plan.channel,
    )


def _context_frames(plan: ChunkPlan, joint: ChunkPlan) -> int:
    """Return how many frames before a core of the joint plan a member of ``plan`` needs, including its resampling
    margin.
    """
    lead_s = plan.lead_samples / plan.rate + _margin(joint.rate, plan.rate) / joint.rate
    return max(0, math.ceil(round(lead_s / joint.hop_s, 9)))


def _margin(rate: int, new_rate: int) -> int:
    """Return the samples at ``rate`` that resampling needs on each side, in whole periods of both rates."""
    period = common_period(rate, new_rate)
    return -(-margin_samples(rate, new_rate) // period) * period


@dataclass(frozen=True, slots=True)
class _Cut:
    """Position of a member's chunks in a joint chunk at the member's rate, and of the cut in joint samples.

    The joint samples [first, stop) hold all of them with the margin; ``skipped`` samples of the resampled cut come
    before the first chunk.
    """

    first: int
    stop: int
    skipped: int


class _Member:
    """A member, and the position of its chunks within those of the joint plan."""

    def __init__(self, predictor: Predictor, joint: ChunkPlan, columns: list[int]) -> None:
        self._predictor, self._plan, self._joint, self._columns = predictor, predictor.plan, joint, columns
        self._n_chunks = joint.core_frames // self._plan.core_frames
        self._cut = _cut(self._plan, joint, self._n_chunks)

    def scores(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of (batch, joint chunk_samples) chunks: (batch, core_frames, n_labels), labels in
        joint order.
        """
        member_chunks = chunks if self._plan == self._joint else self._own_chunks(chunks)
        predicted = self._predictor.predict(member_chunks)
        joined: NDArray[np.float32] = predicted.reshape(len(chunks), self._joint.core_frames, -1)[:, :, self._columns]
        return joined

    def _own_chunks(self, chunks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cut the member's chunks in order of time, (batch * n, chunk_samples), from joint ones."""
        cut, length, step = self._cut, self._plan.chunk_samples, self._plan.core_samples
        heard = chunks[:, cut.first : cut.stop]
        if self._plan.rate != self._joint.rate:
            heard = np.stack(
                [Resampler(self._joint.rate, self._plan.rate).feed(joint_chunk, last=True) for joint_chunk in heard]
            )
        starts = cut.skipped + step * np.arange(self._n_chunks)
        return np.stack([joint_chunk[start : start + length] for joint_chunk in heard for start in starts.tolist()])


def _cut(plan: ChunkPlan, joint: ChunkPlan, n_chunks: int) -> _Cut:
    period, own_period = common_period(joint.rate, plan.rate), common_period(plan.rate, joint.rate)
    # In the member's samples, from the start of the joint core; negative if the first chunk begins before it.
    begin = -plan.lead_samples
    end = begin + (n_chunks - 1) * plan.core_samples + plan.chunk_samples
    margin = _margin(joint.rate, plan.rate) // period
    # Samples of both rates coincide only on whole periods: the cut begins on one, so that the chunks keep their phase.
    first_period, stop_period = begin // own_period - margin, -(-end // own_period) + margin
    first, stop = joint.lead_samples + first_period * period, joint.lead_samples + stop_period * period
    # The core begins on a period, but the samples before it in the joint chunk may not: cut whole periods.
    first = max(first, joint.lead_samples % period)
    skipped = begin - (first - joint.lead_samples) // period * own_period
    return _Cut(first, min(stop, joint.chunk_samples), skipped)
