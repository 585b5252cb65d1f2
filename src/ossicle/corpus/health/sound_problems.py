"""What the front end of a model does not hear: most of the recorded band, or calls as short as one of its frames."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.text.rounding import rounded
from ossicle.corpus.health.problem import Problem
from ossicle.corpus.indexing.corpus_index import CorpusIndex

MUCH_MORE = 2.0
"""A recorded band this many times as wide as the one read is worth a warning."""
BAND_UNREAD, FRAME_TOO_LONG, PERHAPS_KHZ = "band_unread", "frame_too_long", "perhaps_khz"
OF_FRONT_ENDS = (BAND_UNREAD, FRAME_TOO_LONG)
"""Codes of problems whose remedies are settings of the front end, which a model with an encoder does not use."""

# Annotated frequencies that all lie below this share of the recorded band are hardly Hz.
_LEAST_SHARE = 0.01

_OF_ENCODERS: Mapping[str, str] = {
    "low_rate": "record at a higher rate if you can; compare results only between recordings of one rate",
    "above_band": "choose an encoder that reads a higher rate; this one cannot hear them",
    "offset": "filter it out of the file, or ignore it",
}


def without_front_end(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems of a corpus whose model hears through an encoder: no remedy is a setting of the front end."""
    return [
        replace(problem, remedy=_OF_ENCODERS.get(problem.code, problem.remedy))
        for problem in problems
        if problem.code not in OF_FRONT_ENDS
    ]


def sound_problems(index: CorpusIndex, *, fmax_hz: float, hop_s: float | None = None) -> Iterator[Problem]:
    """Yield warnings about the band that is not read, and about frames that are as long as calls.

    Parameters
    ----------
    index
        The corpus.
    fmax_hz
        Highest frequency that the model reads, in Hz.
    hop_s
        Seconds between its frames; None to check the band only.
    """
    by_label = dict(index.annotations.by_label())
    if high_hz := perhaps_khz(index):
        yield Problem(
            "warning",
            PERHAPS_KHZ,
            "",
            f"all annotated frequencies lie at or below {high_hz:g} Hz, and recordings hold sound up to "
            f"{recorded_hz(index):g} Hz",
            "if the tables state kHz, name their columns low_khz and high_khz",
        )
    ends = {recording.id: recording.duration_s for recording in index.recordings}
    if (top_hz := recorded_hz(index)) > MUCH_MORE * fmax_hz:
        # Annotated frequencies say that the rest of the band is not needed.
        silent = [label for label, annotations in by_label.items() if not says_frequencies(annotations)]
        if silent or not by_label:
            remark = f"; {_first_labels(silent)} without annotated frequencies may lie there" if silent else ""
            yield Problem(
                "warning",
                BAND_UNREAD,
                "",
                f"recordings hold sound up to {top_hz:g} Hz, but the model reads up to {fmax_hz:g} Hz{remark}",
                "raise frontend.rate and frontend.fmax_hz, or annotate low and high frequencies",
            )
    if hop_s is not None:
        for label, annotations in by_label.items():
            # Labels of whole recordings say nothing about the length of a call.
            last_s = np.array([ends[key] for key in annotations.recording_ids])[annotations.recording]
            lengths_s = (annotations.end_s - annotations.start_s)[
                (annotations.start_s > 0) | (annotations.end_s < last_s)
            ]
            median_s = float(np.median(lengths_s)) if len(lengths_s) else 0.0
            if 0 < median_s <= hop_s * (1 + 1e-9):
                yield Problem(
                    "warning",
                    FRAME_TOO_LONG,
                    label,
                    f"a frame of the model lasts {rounded(1000 * hop_s)} ms, and half of these calls last "
                    f"{rounded(1000 * median_s)} ms or less",
                    "lower frontend.hop_samples (and frontend.n_fft), or chunks.step_s of a window model",
                )


def recorded_hz(index: CorpusIndex) -> float:
    """Return the highest frequency that at least one recording in ten can hold, in Hz; 0 without recordings."""
    rates = [recording.rate for recording in index.recordings]
    return float(np.quantile(rates, 0.9, method="lower")) / 2 if rates else 0.0


def perhaps_khz(index: CorpusIndex) -> float:
    """Return the highest annotated frequency in Hz if all of them are so low that tables may have stated kHz.

    Parameters
    ----------
    index
        The corpus.

    Returns
    -------
    float
        0 if some are higher, or none is stated.
    """
    high_hz = index.annotations.high_hz
    stated = high_hz[high_hz > 0] if high_hz is not None else np.zeros(0)
    highest_hz = float(stated.max()) if len(stated) else 0.0
    return highest_hz if highest_hz < _LEAST_SHARE * recorded_hz(index) else 0.0


def says_frequencies(annotations: AnnotationColumns) -> bool:
    """Return whether at least half of the annotations have a highest frequency."""
    n_stated = 0 if annotations.high_hz is None else np.count_nonzero(annotations.high_hz > 0)
    return 2 * int(n_stated) >= len(annotations)


def _first_labels(labels: Sequence[str], most: int = 3) -> str:
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(map(repr, labels[:most])) + more
