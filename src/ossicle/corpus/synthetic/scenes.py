"""A synthetic scene: calls and confusers placed on a site's ambience at given signal-to-noise ratios.

The SNR of a call is the power of the call (after the site's acoustics) in its own band, averaged over its annotated
span, relative to the power of the ambience in that band, averaged over the span and half a second on each side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ossicle.core.time import to_samples, to_seconds
from ossicle.corpus.synthetic.calls import CALLS, CONFUSERS, Sound
from ossicle.corpus.synthetic.sites import Site, acoustics, ambience

Samples = NDArray[np.float32]

SNR_OF_QUALITY = {1: 20.0, 2: 12.0, 3: 6.0, 4: 0.0}
"""Quality number (1 best) to SNR in dB."""

SNR_CONTEXT_S = 0.5
_QUALITY_SHARES = (0.25, 0.30, 0.30, 0.15)
_EDGE_S = 0.5
_PEAK = 0.9


@dataclass(frozen=True, slots=True)
class Call:
    """A call in a scene: its support in samples, band in Hz, quality number, and the SNR that follows from the
    quality.
    """

    label: str
    start_sample: int
    n_samples: int
    low_hz: float
    high_hz: float
    quality: int
    snr_db: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Layers of one tape, each float32 of shape (n,); they add up to ``samples``. Calls are sorted by start."""

    rate: int
    ambience: Samples
    confusers: Samples
    called: Samples
    calls: tuple[Call, ...]

    @property
    def samples(self) -> Samples:
        """The sum of the layers, as recorded by the microphone, within [-1, 1]."""
        return self.ambience + self.confusers + self.called


def render_scene(
    site: Site,
    rng: np.random.Generator,
    *,
    rate: int,
    seconds: float,
    labels: Sequence[str],
    calls: int,
    confusers: float,
) -> Scene:
    """Return a scene of ``seconds`` with at most ``calls`` calls of the classes ``labels`` and about ``confusers``
    confusers.

    Calls come in bouts, never overlap and keep half a second from the ends; confusers can be anywhere. Everything is
    drawn from ``rng``.
    """
    n = to_samples(seconds, rate)
    back = ambience(site, n, rate, rng)
    response = acoustics(site, rate, rng)
    called, others = np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.float32)
    placed: list[Call] = []
    drawn = [(label, CALLS[label](rng, rate)) for label in rng.choice(np.asarray(labels), size=calls)] if calls else []
    starts = place_bouts([len(sound.samples) for _, sound in drawn], n, rate, rng)
    for (label, sound), start in zip(drawn, starts, strict=True):
        quality = 1 + int(rng.choice(len(_QUALITY_SHARES), p=_QUALITY_SHARES))
        if start is None:
            continue
        snr_db = SNR_OF_QUALITY[quality]
        add_at_snr(called, back, sound, start, snr_db, response, rate)
        placed.append(Call(str(label), start, len(sound.samples), sound.low_hz, sound.high_hz, quality, snr_db))
    kinds = list(CONFUSERS.values())
    for _ in range(int(rng.poisson(confusers)) if confusers else 0):
        sound = kinds[int(rng.integers(len(kinds)))](rng, rate)
        if len(sound.samples) < n:
            start = int(rng.integers(0, n - len(sound.samples)))
            add_at_snr(others, back, sound, start, rng.uniform(0.0, 20.0), response, rate)
    peak = float(np.abs(back + others + called).max(initial=0.0))
    gain = np.float32(min(1.0, _PEAK / peak) if peak else 1.0)
    ordered = tuple(sorted(placed, key=lambda call: call.start_sample))
    return Scene(rate, back * gain, others * gain, called * gain, ordered)


def place_bouts(lengths: Sequence[int], n: int, rate: int, rng: np.random.Generator) -> list[int | None]:
    """Return a start sample for each length, without overlaps: bouts of 1 to 4 calls with gaps of 0.12 to 0.6 s.

    A call for which 50 draws find no free place gets None.
    """
    gap, edge = to_samples(0.12, rate), to_samples(_EDGE_S, rate)
    busy: list[tuple[int, int]] = []
    starts: list[int | None] = []
    left_in_bout, position = 0, 0
    for length in lengths:
        start = None
        if left_in_bout > 0 and _free(busy, position, length, gap) and position + length + edge <= n:
            start = position
        elif n > length + 2 * edge:
            tries = (int(rng.integers(edge, n - length - edge)) for _ in range(50))
            start = next((start_tried for start_tried in tries if _free(busy, start_tried, length, gap)), None)
            left_in_bout = int(rng.integers(1, 5))
        starts.append(start)
        if start is not None:
            busy.append((start, start + length))
            position = start + length + to_samples(rng.uniform(0.12, 0.6), rate)
            left_in_bout -= 1
    return starts


def add_at_snr(
    layer: Samples, back: Samples, sound: Sound, start: int, snr_db: float, response: Samples, rate: int
) -> None:
    """Add ``sound``, heard through ``response``, to ``layer`` (in place) at ``snr_db`` over ``back``.

    The tail of the response beyond the layer's end is cut off.
    """
    heard = scipy.signal.fftconvolve(sound.samples, response).astype(np.float32)
    n = len(sound.samples)
    context = to_samples(SNR_CONTEXT_S, rate)
    around = back[max(0, start - context) : start + n + context]
    call_power = band_energy(heard, rate, sound.low_hz, sound.high_hz) / n
    back_power = band_energy(around, rate, sound.low_hz, sound.high_hz) / len(around)
    gain = np.sqrt(back_power / max(call_power, 1e-20) * 10 ** (snr_db / 10))
    stop = min(len(layer), start + len(heard))
    layer[start:stop] += heard[: stop - start] * np.float32(gain)


def band_energy(wave: Samples, rate: int, low_hz: float, high_hz: float) -> float:
    """Return the sum of squares of ``wave`` between ``low_hz`` and ``high_hz`` (by Parseval, rectangular window)."""
    power = np.abs(np.fft.rfft(wave.astype(np.float64))) ** 2
    bins_hz = np.fft.rfftfreq(len(wave), 1 / rate)
    inside = (bins_hz >= low_hz) & (bins_hz <= high_hz)
    return float(2 * power[inside].sum() / len(wave))


def span_s(call: Call, rate: int) -> tuple[float, float]:
    """Return start and end of a call in seconds; the end is that of its last sample."""
    return to_seconds(call.start_sample, rate), to_seconds(call.start_sample + call.n_samples, rate)


def _free(busy: Sequence[tuple[int, int]], start: int, length: int, gap: int) -> bool:
    return all(start + length + gap <= first or last + gap <= start for first, last in busy)
