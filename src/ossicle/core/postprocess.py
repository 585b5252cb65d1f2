"""What is done to a recording's scores before they are decided on, as data; ``ossicle.inference.postprocess`` does it.

The model's scores are written as they are. A change of these settings decides anew and scores nothing again.
"""

from ossicle.core.settings import setting, settings

MOST_WEIGHTS = 999


@settings
class Postprocess:
    """``[postprocess]``: smoothing over neighbouring frames, then the prior of the whole recording; neither unless set.

    With both, the prior is computed from the smoothed scores, and scales them.
    """

    kernel: tuple[float, ...] = setting(
        default=(),
        help="weights of neighbouring frames, the middle one for the frame itself, as [0.1, 0.2, 0.4, 0.2, "
        "0.1]: an odd number of weights, divided by their sum; empty: no smoothing",
        ge=0,
    )
    file_prior_top: int = setting(
        default=0,
        help="multiply the scores of a label by the mean of its highest scores in the recording, this many of "
        "them; 0: off",
        unit="frames",
        ge=0,
    )
    file_prior_power: float = setting(
        default=1.0, help="power applied to that mean; smaller values have less effect", gt=0, le=10
    )

    def __post_init__(self) -> None:
        """Refuse a kernel without a middle and one that weighs nothing."""
        if not self.kernel:
            return
        if len(self.kernel) % 2 == 0 or len(self.kernel) > MOST_WEIGHTS:
            raise ValueError(
                f"kernel holds {len(self.kernel)} weights: give an odd number of at most {MOST_WEIGHTS}, the frame's "
                "own in the middle"
            )
        # The own weight is what the first and the last frame of a recording can always lean on.
        if not self.kernel[len(self.kernel) // 2] > 0:
            raise ValueError("kernel gives the frame itself, its middle weight, nothing: make that more than 0")

    @property
    def smooths(self) -> bool:
        """Whether neighbouring frames have a say."""
        return any(weight > 0 for place, weight in enumerate(self.kernel) if place != len(self.kernel) // 2)

    @property
    def needs_whole(self) -> bool:
        """Whether a recording must be known to its end before its first score is."""
        return self.file_prior_top > 0

    @property
    def does_nothing(self) -> bool:
        """Whether scores stay as they are."""
        return not self.smooths and not self.needs_whole

    @property
    def delay_frames(self) -> int:
        """How many frames a smoothed score comes after its raw one."""
        return len(self.kernel) // 2 if self.smooths else 0
