"""``[state_decision]``: how the rules of states are fitted."""

from itertools import product

from ossicle.core.decisions.states import MOST_HOLD_S, MOST_STATE_FRAMES
from ossicle.core.settings import setting, settings

THRESHOLDS = ("grid", "scores")


@settings
class StateFitSettings:
    """How the rule of each label is fitted to out-of-fold scores by replay.

    Thresholds of the replay are even in log odds; those of the F1 curve are even in probability, or every distinct
    score.
    """

    thresholds: str = setting(
        default="grid", help="thresholds of the F1 curve: `grid`, or every distinct score", choices=THRESHOLDS
    )
    threshold_from: float = setting(default=0.05, help="lowest threshold of the grid", gt=0, lt=1)
    threshold_to: float = setting(default=0.95, help="highest threshold of the grid", gt=0, lt=1)
    threshold_step: float = setting(default=0.01, help="step of the grid", gt=0, lt=1)
    smoothings: tuple[str, ...] = setting(
        default=("none", "median", "ema"), help="kinds of smoothing to try", choices=("none", "median", "ema")
    )
    frames: tuple[int, ...] = setting(
        default=(3, 5, 7, 9), help="lengths of the smoothing to try, in frames; odd", ge=1, le=MOST_STATE_FRAMES
    )
    debounce: tuple[int, ...] = setting(
        default=(1, 2, 3), help="numbers of frames that must agree to try", ge=1, le=MOST_STATE_FRAMES
    )
    hysteresis: tuple[float, ...] = setting(
        default=(0.0, 2.0, 4.0, 8.0), help="distances of `on` and `off` to try, in log odds", ge=0, le=20
    )
    holds_s: tuple[float, ...] = setting(
        default=(0.0, 5.0), help="minimum times of a state to try, on and off alike", unit="s", ge=0, le=MOST_HOLD_S
    )
    delay_s: float = setting(
        default=0.0,
        help="longest median delay from a switch to its decision; 0: a window and two hops",
        unit="s",
        ge=0,
    )
    within_s: float = setting(default=3.0, help="a switch is found if it is decided within this time", unit="s", gt=0)
    switches: int = setting(default=200, help="switches of the replay for each label", ge=10, le=100_000)
    stretch_min_s: float = setting(default=20.0, help="shortest stretch between two switches", unit="s", gt=0)
    stretch_max_s: float = setting(default=120.0, help="longest stretch between two switches", unit="s", gt=0)
    stress: float = setting(
        default=0.15,
        help="what the replay adds to scores, once a stretch and once a frame, because sounds in use vary more than a "
        "few recordings do: its standard deviation, as a share of half the distance of on and off in log odds",
        ge=0,
        le=2,
    )
    seed: int = setting(default=0, help="seed of the replayed switches", ge=0)

    def __post_init__(self) -> None:
        """Reject a grid without thresholds, even medians, empty lists, and stretches that a switch may outlast."""
        if self.threshold_from > self.threshold_to:
            raise ValueError(
                f"threshold_from = {self.threshold_from:g} must not be above threshold_to = {self.threshold_to:g}"
            )
        for name in ("smoothings", "frames", "debounce", "hysteresis", "holds_s"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty: give at least one value to try")
        if even := [frame for frame in self.frames if frame % 2 == 0]:
            raise ValueError(f"frames has {even[0]}, which must be odd for a median")
        if self.stretch_min_s > self.stretch_max_s:
            raise ValueError(
                f"stretch_min_s = {self.stretch_min_s:g} s must not be above stretch_max_s = {self.stretch_max_s:g} s"
            )
        if self.within_s >= self.stretch_min_s:
            raise ValueError(
                f"within_s = {self.within_s:g} s must be shorter than stretch_min_s = {self.stretch_min_s:g} s"
            )

    @property
    def kinds(self) -> list[tuple[str, int, int, float, float]]:
        """Everything to try but the threshold, the simplest first: smoothing, frames, debounce, distance, hold."""
        smoothings = [("none", 1)] if "none" in self.smoothings else []
        smoothings += [(kind, n) for n in sorted(self.frames) for kind in self.smoothings if kind != "none" and n > 1]
        smoothings = smoothings or [("none", 1)]
        tried = product(sorted(self.holds_s), sorted(self.debounce), smoothings, sorted(self.hysteresis))
        return [(kind, n, debounce, distance, hold) for hold, debounce, (kind, n), distance in tried]
