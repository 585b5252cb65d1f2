"""Front end, chunks and event lengths of a new project with a frame-wise detector, adapted to its annotations."""

import math
from collections.abc import Mapping

import numpy as np

from ossicle.app.project.scaffolding.toml_lines import line
from ossicle.core.text.rounding import rounded
from ossicle.corpus.health.sound_problems import perhaps_khz, says_frequencies
from ossicle.corpus.indexing.corpus_index import CorpusIndex

_RATES = (8000, 16000, 22050, 32000, 44100, 48000)
# A training crop is one chunk: few frames make fast steps, and these hold several calls with their surroundings.
_CORE_FRAMES, _CONTEXT_FRAMES = 200, 50
# Candidates for the shortest event length, as shares of the shortest usual annotation.
_LENGTH_SHARES = (0.0, 0.3, 0.6, 0.9)
# Frames become shorter until the median call of every label fills this many of them.
_FRAMES_A_CALL = 4
_SHORTER_HOPS_S = (0.005, 0.0025, 0.001)


def frame_lines(index: CorpusIndex) -> list[str]:
    """Return lines of ``[frontend]``, ``[chunks]`` and ``[decision]``.

    Parameters
    ----------
    index
        The index of the recordings.
    """
    rate, rate_reason = _rate(index)
    front = _front_end(index, rate)
    lines = [line("rate", rate, rate_reason), *(line(key, value, comment) for key, (value, comment) in front.items())]
    hop_s = front["hop_samples"][0] / rate
    lines += ["", "[chunks]"]
    for key, frames in (("core_s", _CORE_FRAMES), ("context_s", _CONTEXT_FRAMES)):
        lines.append(line(key, f"{frames * hop_s:.4g}", f"{frames} frames"))
    if index.annotations:
        shortest_s = _shortest_usual_s(index)
        values = ", ".join(f"{share * shortest_s:.3g}" for share in _LENGTH_SHARES)
        reason = f"one in twenty annotations of the shortest label lasts less than {rounded(shortest_s, 2)} s"
        lines += ["", "[decision]", f"# {reason}", f"min_length_s = [{values}]"]
    return lines


def _rate(index: CorpusIndex) -> tuple[int, str]:
    """Return the sample rate in Hz, and why.

    It is the lowest usual rate that covers the annotated frequencies, but no more than was recorded. Where a label has
    no annotated frequencies, or all of them may be kHz, its calls may lie anywhere: then it is the rate that all but
    the slowest tenth of the recordings have.
    """
    by_label = dict(index.annotations.by_label())
    silent = [label for label, annotations in by_label.items() if not says_frequencies(annotations)]
    low_hz = perhaps_khz(index)
    if silent or low_hz or not index.annotations:
        usual_rate = int(np.quantile([recording.rate for recording in index.recordings], 0.1, method="lower"))
        if low_hz:
            return usual_rate, f"Hz, the recordings' own: annotated frequencies up to {low_hz:g} Hz may be kHz"
        # Labels come from files, and a line end would end the comment.
        missing = "no frequency is annotated" if len(silent) == len(by_label) else f"{silent[0]!r} has no"
        return (
            usual_rate,
            f"Hz, the recordings' own: {missing}{'' if missing.startswith('no') else ' annotated frequencies'}",
        )
    recorded = max(recording.rate for recording in index.recordings)
    high_hz = index.annotations.high_hz
    assert high_hz is not None
    needed_rate = 2 * float(np.nanmax(high_hz))
    fitting = [rate for rate in _RATES if needed_rate <= rate <= recorded]
    return (fitting[0] if fitting else recorded), "Hz, from the highest annotated frequency"


def _front_end(index: CorpusIndex, rate: int) -> Mapping[str, tuple[int | float, str]]:
    lengths_s = np.sort(index.annotations.end_s - index.annotations.start_s)
    median_s = float(lengths_s[len(lengths_s) // 2]) if len(lengths_s) else 0.1
    crowded = _crowded(index)
    hop_s = 0.005 if crowded else 0.01 if median_s < 0.4 else 0.02
    reason = "neighbours of one class lie close" if crowded else f"the median annotation lasts {median_s:.2f} s"
    shortest_s = _shortest_median_s(index)
    if hop_s > shortest_s / _FRAMES_A_CALL:
        finer = [hop_choice for hop_choice in _SHORTER_HOPS_S if hop_choice <= shortest_s / _FRAMES_A_CALL] or [
            _SHORTER_HOPS_S[-1]
        ]
        if finer[0] < hop_s:
            hop_s, reason = finer[0], f"half of the shortest calls last at most {rounded(1000 * shortest_s)} ms"
    hop = max(2 * round(hop_s * rate / 2), 2)
    # A window blurs anything shorter than itself, so short calls and close neighbours need a short window.
    window_s = min(0.015 if crowded else 0.03, max(shortest_s, 2 * hop_s))
    n_fft = max(2 ** round(math.log2(rate * window_s)), 2 ** math.ceil(math.log2(hop)))
    return {
        "n_fft": (n_fft, f"{1000 * n_fft / rate:.0f} ms"),
        "hop_samples": (hop, f"{rounded(1000 * hop / rate)} ms frames: {reason}"),
        "fmax_hz": (rate / 2, "Hz"),
    }


def _shortest_usual_s(index: CorpusIndex) -> float:
    """Return the shortest usual length of an annotation: 19 in 20 annotations of every label are longer."""
    return float(
        min(
            np.quantile(annotations.end_s - annotations.start_s, 0.05)
            for _, annotations in index.annotations.by_label()
        )
    )


def _shortest_median_s(index: CorpusIndex) -> float:
    """Return the median length of the label with the shortest one, in seconds; infinite without annotations."""
    medians = [
        float(np.median(annotations.end_s - annotations.start_s)) for _, annotations in index.annotations.by_label()
    ]
    return min((median for median in medians if median > 0), default=math.inf)


def _crowded(index: CorpusIndex) -> bool:
    """Return whether more than one in twenty gaps between neighbours of one class is under 20 ms."""
    notes = index.annotations
    rank = notes.groups.ranks[notes.recording]
    # Of one recording and label, in the order of the starts.
    order = np.lexsort((notes.start_s, notes.label, rank))
    same = (np.diff(rank[order]) == 0) & (np.diff(notes.label[order]) == 0)
    gaps = (notes.start_s[order][1:] - notes.end_s[order][:-1])[same]
    return bool(np.count_nonzero(gaps < 0.02) > 0.05 * len(gaps)) if len(gaps) else False
