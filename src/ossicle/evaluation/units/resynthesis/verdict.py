"""The verdict on a vocoder: which bars its figures reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ossicle.evaluation.units.resynthesis.figures import LENGTH_RATIO, MCD, SNR
from ossicle.evaluation.units.resynthesis.settings import ResynthesisSettings
from ossicle.metrics.reports.event_report import Estimate, plain


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes
    ----------
    figure
        Key of the figure.
    low, high
        The figure must lie between them, both included; None: no limit on this side.
    value
        The figure; NaN where it is undefined, which does not reach the bar.
    decides
        Whether the verdict depends on it. The SNR is only shown.
    """

    figure: str
    low: float | None
    high: float | None
    value: float
    decides: bool = True

    @property
    def met(self) -> bool:
        """Whether the figure reaches the bar."""
        above = self.low is None or self.value >= self.low
        below = self.high is None or self.value <= self.high
        return self.value == self.value and above and below

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None for an undefined figure."""
        return {
            "figure": self.figure,
            "low": self.low,
            "high": self.high,
            "value": plain(self.value),
            "met": self.met,
            "decides": self.decides,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """All bars.

    Attributes
    ----------
    bars
        The bars, those that decide first.
    """

    bars: tuple[Bar, ...]

    @property
    def passed(self) -> bool:
        """Whether all bars that decide are reached."""
        return all(bar.met for bar in self.bars if bar.decides)

    @property
    def missed(self) -> tuple[Bar, ...]:
        """The bars that decide and are missed."""
        return tuple(bar for bar in self.bars if bar.decides and not bar.met)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"passed": self.passed, "bars": [bar.to_json() for bar in self.bars]}


def verdict(figures: Mapping[str, Estimate], bars: ResynthesisSettings) -> Verdict:
    """Return the verdict on figures.

    Parameters
    ----------
    figures
        From :func:`ossicle.evaluation.units.resynthesis.figures.resynthesis_figures`.
    bars
        The limits. The distortion must lie below ``most_mcd_db``, the length within its two limits.
    """
    return Verdict(
        (
            Bar(MCD, None, bars.most_mcd_db, figures[MCD].value),
            Bar(LENGTH_RATIO, bars.least_length, bars.most_length, figures[LENGTH_RATIO].value),
            Bar(SNR, bars.snr_db, None, figures[SNR].value, decides=False),
        )
    )
