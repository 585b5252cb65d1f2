"""Training of a quantiser on the frames of segments, and how well one fits frames that it was not trained on."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ossicle.core.digest import seed_of
from ossicle.core.errors import UsageError
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.units.frames import SegmentFrames
from ossicle.units.kmeans.centres import KMeans
from ossicle.units.kmeans.cluster_sums import Blocks, Centres, ClusterSums
from ossicle.units.kmeans.settings import QuantiserSettings
from ossicle.units.kmeans.state import Checkpoint
from ossicle.units.nearest import Screens
from ossicle.units.normalisation import GROUP
from ossicle.units.normalised import GroupStatistics, NormalisedFrames, group_statistics, normalisation_of
from ossicle.units.quantiser import Quantiser, QuantiserFit

# Of fewer segments none is held out.
_LEAST_SEGMENTS = 5


class TooFewFrames(UsageError):
    """There are fewer frames to fit centres to than units are asked for."""


Advance = Callable[[int, float], None]


def train_quantiser(
    frames: SegmentFrames,
    settings: QuantiserSettings,
    spec: EncoderSpec,
    hop_s: float,
    origin_s: float,
    *,
    k: int | None = None,
    statistics_by_group: GroupStatistics | None = None,
    threads: int = 1,
    checkpoint: Checkpoint | None = None,
    advance: Advance = lambda passes, share: None,
    screens: Screens | None = None,
) -> Quantiser:
    """Return a quantiser that is trained on frames; equal frames and settings give equal bytes.

    The frames need not fit into memory: at most a sample of 256 MB and a few blocks do.

    Parameters
    ----------
    frames
        The segments with their groups.
    settings
        Number of units, normalisation, share held out, seed.
    spec, hop_s, origin_s
        Encoder of the frames, distance of their centres and the first centre in seconds.
    k
        Number of units; None: ``settings.k``.
    statistics_by_group
        Statistics by group, for the normalisation ``group``; None: those of all ``frames`` of each group.
    threads
        Threads that share the work; they do not change the result.
    checkpoint
        Where the state of the training is kept; None: nowhere.
    advance
        Called with the finished passes over all frames and the share of the present one.
    screens
        Returns a faster search for centres (``ossicle.training.quantiser``); None: float32. It does not change the
        result.

    Raises
    ------
    TooFewFrames
        There are fewer frames than units.

    Examples
    --------
    >>> frames = SegmentFrames.of_arrays({"a#0": np.array([[0.0], [0.1], [5.0], [5.1]], np.float32)})
    >>> spec = EncoderSpec("mfcc", rate=16000, dim=1)
    >>> trained = train_quantiser(frames, QuantiserSettings(k=2, normalisation="none"), spec, 0.02, 0.0125)
    >>> [f"{value:.2f}" for value in sorted(trained.centres.ravel())]
    ['0.05', '5.05']
    """
    units = settings.k if k is None else k
    held_out = held_out_segments(frames.ids, settings.held_out, settings.seed)
    refuse_too_few(frames, settings, units)
    kept_frames = frames.only(~held_out)
    if statistics_by_group is None and settings.normalisation == GROUP:
        statistics_by_group = group_statistics(frames)
    normalisation = normalisation_of(settings.normalisation, kept_frames)
    rows = NormalisedFrames(kept_frames, normalisation, statistics_by_group)
    blocks = Blocks(len(rows), rows.dim, rows.block)
    found_centres = KMeans(
        blocks, rows.take, units, settings.seed, threads, checkpoint, advance=advance, screens=screens
    ).fit()
    others = NormalisedFrames(frames.only(held_out), normalisation, statistics_by_group)
    fit = QuantiserFit(
        frames=len(rows),
        passes=found_centres.passes,
        inertia=found_centres.inertia,
        held_out_frames=len(others),
        held_out_inertia=_inertia(others, found_centres.centres, threads) if len(others) else None,
        usage=tuple((found_centres.counts / len(rows)).tolist()),
        dead=tuple(np.flatnonzero(found_centres.counts == 0).tolist()),
        reseeded=found_centres.reseeded,
    )
    return Quantiser(found_centres.centres, normalisation, spec, hop_s, origin_s, settings.seed, fit)


def refuse_too_few(frames: SegmentFrames, settings: QuantiserSettings, units: int) -> None:
    """Reject a number of units that the frames cannot have.

    Parameters
    ----------
    frames, settings
        As for :func:`train_quantiser`.
    units
        Number of units: ``settings.k`` or one of ``settings.sweep``.

    Raises
    ------
    TooFewFrames
        There are fewer frames to fit than units.
    """
    kept_frames = frames.only(~held_out_segments(frames.ids, settings.held_out, settings.seed))
    if kept_frames.n_frames < units:
        key = "k" if units == settings.k else "sweep"
        raise TooFewFrames(
            f"[quantiser] {key} = {units}: there are only {kept_frames.n_frames} frames to fit the units to; set a "
            f"lower {key}"
        )


def inertia_of(
    quantiser: Quantiser, frames: SegmentFrames, statistics_by_group: GroupStatistics | None = None, threads: int = 1
) -> float:
    """Return the mean squared distance of frames to the centres of a quantiser, after its normalisation.

    Parameters
    ----------
    quantiser
        The quantiser.
    frames
        At least one frame.
    statistics_by_group
        Statistics by group, for the normalisation ``group``; None: those of ``frames``.
    threads
        Threads that share the work.
    """
    if statistics_by_group is None and quantiser.normalisation.kind == GROUP:
        statistics_by_group = group_statistics(frames)
    return _inertia(NormalisedFrames(frames, quantiser.normalisation, statistics_by_group), quantiser.centres, threads)


def held_out_segments(ids: tuple[str, ...], share: float, seed: int) -> NDArray[np.bool_]:
    """Return which segments a training leaves out: whole recordings, drawn by seed and name.

    Parameters
    ----------
    ids
        Names of the segments; what is before ``#`` is their recording.
    share
        Share of the recordings, or of the segments if there are too few recordings for it.
    seed
        Seed of the draw.

    Returns
    -------
    NDArray[np.bool_]
        Shape (n_segments,).

    Examples
    --------
    >>> held_out_segments(tuple(f"{n}#0" for n in range(40)), 0.1, seed=0).sum()
    np.int64(4)
    """
    recordings = [segment_id.rpartition("#")[0] or segment_id for segment_id in ids]
    names = recordings if len(set(recordings)) * share >= 1 else list(ids)
    different = sorted(set(names), key=lambda name: (seed_of(seed, "held out", name), name))
    # Not all recordings are short: with one of twenty hours there would be nothing to judge.
    count = round(len(different) * share) if len(different) >= _LEAST_SEGMENTS else 0
    chosen = set(different[: max(count, 1 if share > 0 and len(different) >= _LEAST_SEGMENTS else 0)])
    return np.array([name in chosen for name in names], np.bool_)


def _inertia(frames: NormalisedFrames, centres: Centres, threads: int) -> float:
    total = ClusterSums.empty(len(centres), frames.dim)
    for sums in Blocks(len(frames), frames.dim, frames.block).sums(centres, threads):
        total.add(sums)
    return total.inertia(centres)
