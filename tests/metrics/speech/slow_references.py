"""The figures of speech written out number by number, from their definitions; slow, and as plain as possible."""

import cmath
import math

Row = list[float]


def slow_mcd(first: list[Row], second: list[Row]) -> float:
    """Return the mel-cepstral distortion of frames of c0 to c12: c0 does not count."""
    total = 0.0
    frames = list(zip(first, second, strict=False))
    for reference_frame, other in frames:
        squares = sum((reference_frame[k] - other[k]) ** 2 for k in range(1, 13))
        total += 10 / math.log(10) * math.sqrt(2 * squares)
    return total / len(frames)


def slow_aligned_mcd(first: list[Row], second: list[Row]) -> float:
    """Return the same along the cheapest path, found with the whole matrix of costs and the path itself."""

    def distance(one: Row, other: Row) -> float:
        return 10 / math.log(10) * math.sqrt(2 * sum((one[k] - other[k]) ** 2 for k in range(1, 13)))

    n, m = len(first), len(second)
    cost = [[math.inf] * m for _ in range(n)]
    for i in range(n):
        for j in range(m):
            ways = [cost[i - 1][j - 1] if i and j else math.inf]
            ways += [cost[i - 1][j] if i else math.inf, cost[i][j - 1] if j else math.inf]
            cost[i][j] = distance(first[i], second[j]) + (0.0 if i == j == 0 else min(ways))
    path, i, j = [(n - 1, m - 1)], n - 1, m - 1
    while (i, j) != (0, 0):
        steps = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min((step for step in steps if min(step) >= 0), key=lambda step: cost[step[0]][step[1]])
        path.append((i, j))
    return sum(distance(first[i], second[j]) for i, j in path) / len(path)


def slow_log_mel(first: list[Row], second: list[Row]) -> float:
    """Return the mean absolute difference of levels."""
    frames = list(zip(first, second, strict=False))
    total = sum(abs(a - b) for reference_frame, other in frames for a, b in zip(reference_frame, other, strict=True))
    return total / (len(frames) * len(first[0]))


def slow_pitch(first: Row, second: Row) -> tuple[float, float]:
    """Return the RMSE in cents of frames voiced in both, and the share of frames voiced in one."""
    cents, differs = [], 0
    frames = list(zip(first, second, strict=False))
    for reference_hz, other in frames:
        if reference_hz > 0 and other > 0:
            cents.append(1200 * math.log2(other / reference_hz))
        elif reference_hz > 0 or other > 0:
            differs += 1
    rmse = math.sqrt(sum(c * c for c in cents) / len(cents)) if cents else math.nan
    return rmse, differs / len(frames)


def slow_si_sdr(reference: Row, estimate: Row) -> float:
    """Return the scale-invariant signal-to-distortion ratio."""
    n = min(len(reference), len(estimate))
    scale = sum(reference[i] * estimate[i] for i in range(n)) / sum(reference[i] ** 2 for i in range(n))
    target = sum((scale * reference[i]) ** 2 for i in range(n))
    rest = sum((estimate[i] - scale * reference[i]) ** 2 for i in range(n))
    return 10 * math.log10(target / rest)


def slow_snr(reference: Row, estimate: Row) -> float:
    """Return the signal-to-noise ratio."""
    n = min(len(reference), len(estimate))
    return 10 * math.log10(
        sum(reference[i] ** 2 for i in range(n)) / sum((reference[i] - estimate[i]) ** 2 for i in range(n))
    )


def slow_bands(samples: Row, rate: int, frame: int) -> Row:
    """Return the power of the 40 mel bands of one frame, from its discrete Fourier transform term by term."""
    n_fft, hop, bands = round(0.032 * rate), rate // 100, 40
    window = [0.5 - 0.5 * math.cos(2 * math.pi * i / n_fft) for i in range(n_fft)]
    scale = 2 / sum(window)
    values = [samples[frame * hop + i] * window[i] * scale for i in range(n_fft)]
    power = []
    for b in range(n_fft // 2 + 1):
        turns = (values[i] * cmath.exp(-2j * math.pi * b * i / n_fft) for i in range(n_fft))
        power.append(abs(sum(turns)) ** 2)
    top = slow_mel(rate / 2)
    edges = [slow_hz(top * i / (bands + 1)) for i in range(bands + 2)]
    out = []
    for band in range(bands):
        low, middle, high = edges[band : band + 3]
        total = 0.0
        for b, band_power in enumerate(power):
            hz = b * rate / n_fft
            total += (
                band_power
                * max(0.0, min((hz - low) / (middle - low), (high - hz) / (high - middle)))
                * 2
                / (high - low)
            )
        out.append(total)
    return out


def slow_cepstra(bands: list[Row]) -> list[Row]:
    """Return c0 to c12 of frames of power; bands 60 dB below the loudest of all are raised to that level."""
    least = max(max(frame) for frame in bands) * 1e-6
    out = []
    for frame in bands:
        logs = [0.5 * math.log(max(coefficient, least)) for coefficient in frame]
        count = len(logs)
        sums = [sum(logs[m] * math.cos(math.pi * k * (m + 0.5) / count) for m in range(count)) for k in range(13)]
        out.append([sums[0] / count, *(2 * coefficient / count for coefficient in sums[1:])])
    return out


def slow_mel(hz: float) -> float:
    """Return Hz on Slaney's mel scale."""
    return 3 * hz / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)


def slow_hz(mel: float) -> float:
    """Return the inverse of :func:`slow_mel`."""
    return 200 * mel / 3 if mel < 15 else 1000 * math.exp((mel - 15) * math.log(6.4) / 27)
