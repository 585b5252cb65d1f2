"""Recordings whose sample rate is too low for what a model reads: the upper part of its band is empty in them."""

# The filters of converters and codecs cut a little below half the rate anyway.
LEAST_SHARE = 0.9
"""A recording that holds this share of the band is complete."""


def missing_from_hz(rate: int, top_hz: float) -> float | None:
    """Return the frequency from which on a recording of this rate holds nothing, if a model reads far beyond it.

    >>> missing_from_hz(8000, 8000.0), missing_from_hz(44_100, 24_000.0)
    (4000.0, None)

    Parameters
    ----------
    rate
        Sample rate of the recording, in Hz.
    top_hz
        Highest frequency that the model reads.
    """
    return rate / 2 if rate / 2 < LEAST_SHARE * top_hz else None


def missing_words(rate: int, top_hz: float) -> str:
    """Return what a recording of this rate lacks, in words; "" if it holds the band of the model."""
    if missing_from_hz(rate, top_hz) is None:
        return ""
    return f"recorded at {rate} Hz, so it holds nothing from {rate / 2:g} Hz to the {top_hz:g} Hz that the model reads"
