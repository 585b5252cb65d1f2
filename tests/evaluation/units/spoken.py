"""Invented speech: words with times, and units that follow them."""

import numpy as np

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.records import Annotation
from ossicle.evaluation.units.words import FrameTimes, JudgedSegment

TIMES = FrameTimes(hop_s=0.02, origin_s=0.0125)
WORD_S = 0.2


def speech(n_recordings=12, n_words=20, n_types=8, faithful=1.0, seed=0, group="ada"):
    """Segments, units and annotations: words of 0.2 s after each other, with a unit of their own.

    ``faithful``: share of the frames that have the unit of their word; the others have any unit.
    """
    generator = np.random.default_rng(seed)
    segments, units, notes = [], [], []
    for number in range(n_recordings):
        recording_id, types = f"{group}{number}", generator.integers(n_types, size=n_words)
        notes += [
            Annotation(recording_id, place * WORD_S, (place + 1) * WORD_S, f"word{kind}")
            for place, kind in enumerate(types)
        ]
        result = np.repeat(types, round(WORD_S / TIMES.hop_s))
        result = np.where(
            generator.random(len(result)) < faithful, result, generator.integers(n_types, size=len(result))
        )
        units.append(result.astype(np.int16))
        segments.append(JudgedSegment(f"{recording_id}#0000", recording_id, group, 0.0, len(result)))
    return segments, units, AnnotationColumns.from_annotations(notes)
