"""Settings of chunks, and the chunk plan that follows from them."""

from ossicle.core.chunks import ChunkPlan, framing, window_plan
from ossicle.core.frontend import FrontEndSettings
from ossicle.core.settings import setting, settings
from ossicle.core.time import nearest_frames


@settings
class ChunkSettings:
    """``[chunks]``: length of the stretches of audio that the model reads at a time."""

    core_s: float = setting(
        default=4.0, help="length of the scored part of a chunk; use a short one for live models", unit="s", gt=0
    )
    context_s: float = setting(
        default=0.5, help="extra sound on each side of the core; not needed for sliding windows", unit="s", ge=0
    )
    window_s: float = setting(
        default=0.0,
        help="window length of a sliding-window model, rounded down to whole STFT frames; 0: frame-wise model",
        unit="s",
        ge=0,
    )
    step_s: float = setting(
        default=0.0, help="distance between window starts, rounded to whole STFT hops, at least one", unit="s", ge=0
    )
    exact_step: bool = setting(default=False, help="use exactly this step; every window then needs its own STFT")

    def __post_init__(self) -> None:
        """Reject windows without a step and steps without a window."""
        if self.window_s > 0 and self.step_s == 0:
            raise ValueError(f"step_s = 0 s: windows of {self.window_s:g} s need a step, as 0.05")
        if self.window_s == 0 and (self.step_s > 0 or self.exact_step):
            name, value = ("step_s", f"{self.step_s:g} s") if self.step_s > 0 else ("exact_step", "true")
            raise ValueError(f"{name} = {value} is for sliding windows: give window_s too")

    def in_words(self, front: FrontEndSettings) -> str:
        """Return the actual window and step beside the requested ones; empty for a frame-wise model."""
        if self.window_s == 0:
            return ""
        plan = self.plan(front)
        found = framing(plan, front)
        shared = f"every {found.step_frames}, of one STFT" if found.shared else "each with an STFT of its own"
        return (
            f"windows of {plan.window_samples / plan.rate:.4g} s every {plan.hop_s:.4g} s "
            f"(asked: {self.window_s:g} s and {self.step_s:g} s; {found.window_frames} STFT frames {shared})"
        )

    def plan(self, front: FrontEndSettings, joined: int = 1) -> ChunkPlan:
        """Return the chunk plan on the frames of a front end.

        Parameters
        ----------
        front
            Settings of the front end.
        joined
            How many frames of the front end the network joins into one of its own.

        Raises
        ------
        ValueError
            If a window holds fewer than two STFT frames.
        """
        if self.window_s > 0:
            return window_plan(front, self.window_s, self.step_s, self.core_s, self.exact_step)
        hop_samples = joined * front.hop_samples
        hop_s = hop_samples / front.rate
        return ChunkPlan(
            rate=front.rate,
            hop_samples=hop_samples,
            window_samples=front.n_fft + hop_samples - front.hop_samples,
            core_frames=max(1, nearest_frames(self.core_s, hop_s)),
            context_frames=nearest_frames(self.context_s, hop_s),
        )
