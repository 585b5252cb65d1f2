"""Front end and windows of a new project whose recipe reads clips: those of the recipe, adapted to the recordings."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.scaffolding.toml_lines import line
from ossicle.core.text.rounding import rounded
from ossicle.corpus.indexing.corpus_index import CorpusIndex

_SILENT_HIT_DB = -110.0
"""Rounding to 16 bits and its dither lie 14 dB below; the faintest of 859 recorded hits is 58 dB above."""

_SILENT_CLIP_DB = -120.0
"""Rounding to 16 bits and its dither lie below, a tone of -100 dBFS above."""


def clip_lines(index: CorpusIndex, recipe: Mapping[str, Any]) -> list[str]:
    """Return lines of ``[frontend]``, ``[model.window]`` and, if the recipe's window does not fit the recordings,
    ``[chunks]``. Windows without any sound hold no label.

    The rate is that of the recipe, unless one recording in ten has a lower one. Then the rate is that of the slowest
    tenth, and frames keep their lengths in seconds as nearly as powers of two allow. Where a clip is what follows an
    onset (``[dataset] after_s``), the window stays that of the recipe, because a short hit ends in silence, and silent
    windows hold no hit.

    Parameters
    ----------
    index
        The index of the recordings.
    recipe
        The tables of the recipe.
    """
    chunks = recipe["chunks"]
    lines = front_end_lines([recording.rate for recording in index.recordings], recipe)
    if recipe.get("dataset", {}).get("after_s", 0) > 0:
        return [*lines, *_silence_lines(_SILENT_HIT_DB, "hit")]
    lines += _silence_lines(_SILENT_CLIP_DB, "label")
    lengths_s = np.array([recording.duration_s for recording in index.recordings])
    window_s, reason = _window_s(chunks["window_s"], lengths_s)
    if reason:
        lines += ["", "[chunks]", f"# {reason}"]
        lines += [f"{key} = {window_s}" for key in ("core_s", "window_s", "step_s")]
    return lines


def _silence_lines(silence_db: float, held: str) -> list[str]:
    return ["", "[model.window]", line("silence_db", silence_db, f"a window without any sound holds no {held}")]


def front_end_lines(rates: Sequence[int], recipe: Mapping[str, Any]) -> list[str]:
    """Return lines of ``[frontend]``, as :func:`clip_lines`, for recordings of these rates in Hz, at least one."""
    front = recipe["frontend"]
    usual = int(np.quantile(list(rates), 0.1, method="lower"))
    rate = min(front["rate"], usual)
    reason = "Hz, as most recordings" if rate == usual else f"Hz; most recordings have at least {usual}"
    lines = [line("rate", rate, reason)]
    if rate < front["rate"]:
        n_fft = 2 ** round(math.log2(front["n_fft"] * rate / front["rate"]))
        hop = 2 * round(front["hop_samples"] * rate / front["rate"] / 2)
        lines += [
            line("n_fft", n_fft, f"{1000 * n_fft / rate:.0f} ms"),
            line("hop_samples", hop, f"{1000 * hop / rate:.1f} ms"),
            line("fmax_hz", min(front["fmax_hz"], rate / 2), "Hz"),
        ]
    return lines


def _window_s(wanted_s: float, lengths_s: NDArray[np.float64]) -> tuple[float, str]:
    """Return the window in seconds, and why it is not the recipe's ("" if it is); ``lengths_s`` are those of the
    recordings.

    If nearly all recordings last as long as the window, give or take what codecs add and cut, each becomes one window:
    otherwise a second window would hold a millisecond of it. If half of them are shorter than the window, it is the
    longest window that the other half fills, in steps of half a second (below one second, of a hundredth).

    >>> _window_s(5.0, np.array([5.001, 5.001, 30.0]))
    (5.01, 'most recordings last 5.001 s: one window each')
    """
    usual_s = float(np.median(lengths_s))
    alike = np.abs(lengths_s - usual_s) <= 0.001 * usual_s
    if abs(usual_s - wanted_s) <= 0.02 * wanted_s and alike.mean() > 0.5:
        longest_s = math.ceil(float(lengths_s[alike].max()) * 100 - 1e-6) / 100
        return (
            longest_s,
            "" if longest_s == wanted_s else f"most recordings last {rounded(usual_s, 4)} s: one window each",
        )
    if usual_s >= wanted_s:
        return wanted_s, ""
    window_s = math.floor(usual_s * 2) / 2 if usual_s >= 1 else max(math.floor(usual_s * 100) / 100, 0.01)
    return window_s, f"half of the recordings last at most {rounded(usual_s)} s"
