"""What every rule from scores to events or states has in common: smoothing, and a threshold to begin and one to end."""

SMOOTHINGS = ("none", "median", "ema")
"""Kinds of smoothing over time."""


def refuse_hysteresis(on: float, off: float) -> None:
    """Raise ValueError if the lower threshold is above the upper one."""
    if off > on:
        raise ValueError(f"off = {off:g} must not be above on = {on:g}")


def refuse_even_median(smoothing: str, key: str, frames: int) -> None:
    """Raise ValueError for a median over an even number of frames, which has no middle; ``key`` names the setting."""
    if smoothing == "median" and frames % 2 == 0:
        raise ValueError(f"{key} = {frames} must be odd for a median")
