"""Processing of a recording's scores before decisions, as data; ``ossicle.inference.postprocess`` applies it.

The stored scores are always those of the model. After a change of these settings only decisions are repeated; nothing
is scored again.
"""

from ossicle.core.settings import setting, settings

MOST_WEIGHTS = 999


@settings
class Postprocess:
    """``[postprocess]``: smoothing over neighbouring frames, then the prior of the whole recording; both are off by
    default.

    With both, the prior is computed from the smoothed scores and scales them.
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
        """Reject a kernel of even length and one whose weights are all 0."""
        if not self.kernel:
            return
        if len(self.kernel) % 2 == 0 or len(self.kernel) > MOST_WEIGHTS:
            raise ValueError(
                f"kernel has {len(self.kernel)} weights: give an odd number of at most {MOST_WEIGHTS}, the frame's "
                "own in the middle"
            )
        # The first and last frame of a recording may have no other neighbour with a weight, so the middle one must
        # count.
        if not self.kernel[len(self.kernel) // 2] > 0:
            raise ValueError("the middle weight of kernel, for the frame itself, is 0: make it more than 0")

    @property
    def smooths(self) -> bool:
        """Whether scores are smoothed over neighbouring frames."""
        return any(weight > 0 for index, weight in enumerate(self.kernel) if index != len(self.kernel) // 2)

    @property
    def needs_whole(self) -> bool:
        """Whether the first score depends on the whole recording."""
        return self.file_prior_top > 0

    @property
    def does_nothing(self) -> bool:
        """Whether scores stay unchanged."""
        return not self.smooths and not self.needs_whole

    @property
    def delay_frames(self) -> int:
        """Number of frames by which a smoothed score comes later than the raw one."""
        return len(self.kernel) // 2 if self.smooths else 0
