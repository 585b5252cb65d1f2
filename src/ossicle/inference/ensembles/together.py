"""Score one recording with several models and decode it once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.decoding.decode import DecodeReport
from ossicle.audio.decoding.mono import MonoStream
from ossicle.inference.batch import PathLike, TrackSink
from ossicle.inference.predictor import Predictor
from ossicle.inference.scorer import Scorer


def write_together(
    path: PathLike, predictors: Sequence[Predictor], sinks: Sequence[TrackSink], batch_chunks: int = 8
) -> DecodeReport:
    """Score a recording with each of ``predictors`` into the sink at the same position, block by block.

    Each sink gets the same as from :func:`ossicle.inference.batch.write_scores` for its predictor alone.

    Raises
    ------
    ValueError
        Without predictors, or if their rates or channels differ.
    AudioError
        If the file must be left out.
    """
    rates = {predictor.plan.rate for predictor in predictors}
    if len(rates) != 1:
        raise ValueError(f"predictors must have the same rate, not {sorted(rates)} Hz")
    channels = {predictor.plan.channel for predictor in predictors}
    if len(channels) != 1:
        raise ValueError(f"predictors must read the same channel, not {sorted(channels)}")
    stream = MonoStream(path, rates.pop(), channel=channels.pop())
    scorers = [Scorer(predictor, batch_chunks) for predictor in predictors]

    def give(scores: list[NDArray[np.float32]]) -> None:
        for score, sink in zip(scores, sinks, strict=True):
            sink.append(score)

    for block in stream:
        give([scorer.feed(block) for scorer in scorers])
    give([scorer.finish() for scorer in scorers])
    for sink in sinks:
        sink.finish(stream.report.end_s)
    return stream.report
