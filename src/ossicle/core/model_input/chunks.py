"""The chunk plan: the absolute grid on which a model reads a recording (invariant 4).

A chunk consists of ``core_frames`` frames that are scored and ``context_frames`` on each side that only serve as
context. Frame k of a recording covers samples [k * hop, (k + 1) * hop) and is computed from ``window_samples`` samples
around its centre. Chunk i therefore needs ``chunk_samples`` samples from ``start_sample(i)`` on, whatever the feed or
batch size. The start of the first chunk is negative; its missing samples are zeros.

The frames of a frame-wise network are those of the STFT. A frame of a sliding-window network is a step: the output for
one window of several STFT frames stands for the step around the centre of that window (:func:`window_plan`). Plan and
front end alone determine which STFT frames serve which window (:func:`framing`).
"""

from dataclasses import dataclass

from ossicle.core.model_input.channel import MEAN, channel_name
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.core.settings import setting, settings
from ossicle.core.time import frames_covering, nearest_frames, to_samples


@settings
class ChunkPlan:
    """Sample rate, channel and geometry of the chunks that a model reads."""

    rate: int = setting(help="sample rate of the model input", unit="Hz", ge=1000)
    hop_samples: int = setting(help="samples a frame; even", ge=2)
    window_samples: int = setting(help="samples each frame is computed from; even", ge=2)
    core_frames: int = setting(help="frames scored in a chunk", ge=1)
    context_frames: int = setting(help="frames of context on each side of the core", ge=0)
    channel: str = setting(
        default=MEAN, help="channel that is read: mean, first, loudest, or a number from 1", digest_default=False
    )

    def __post_init__(self) -> None:
        """Reject a grid whose frame centres would fall between samples, and what is no choice of channel."""
        channel_name(self.channel)
        if self.hop_samples % 2 or self.window_samples % 2:
            raise ValueError(
                f"hop_samples = {self.hop_samples} and window_samples = {self.window_samples} must be even, "
                "so that frame centres fall on samples"
            )

    @property
    def hop_s(self) -> float:
        """Length of a frame in seconds."""
        return self.hop_samples / self.rate

    @property
    def chunk_frames(self) -> int:
        """Number of frames in a chunk, including context."""
        return self.core_frames + 2 * self.context_frames

    @property
    def overlaps(self) -> bool:
        """Whether a frame is computed from more samples than it covers; if not, each frame is a clip of its own."""
        return self.window_samples > self.hop_samples

    @property
    def core_samples(self) -> int:
        """Number of samples from the core of one chunk to the next."""
        return self.core_frames * self.hop_samples

    @property
    def chunk_samples(self) -> int:
        """Number of samples that a chunk needs."""
        return (self.chunk_frames - 1) * self.hop_samples + self.window_samples

    @property
    def lead_samples(self) -> int:
        """Number of samples that a chunk needs before its core."""
        return self.context_frames * self.hop_samples + (self.window_samples - self.hop_samples) // 2

    @property
    def latency_s(self) -> float:
        """Seconds from the start of a core until all samples of its chunk have arrived."""
        return (self.chunk_samples - self.lead_samples) / self.rate

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames in ``n_samples`` samples at the plan's rate (the last frame may be partial)."""
        return frames_covering(n_samples, self.hop_samples)

    def n_chunks(self, n_samples: int) -> int:
        """Return the number of chunks that cover ``n_samples`` samples at the plan's rate."""
        return frames_covering(self.n_frames(n_samples), self.core_frames)

    def start_sample(self, chunk: int) -> int:
        """Return the first sample of a chunk; it is negative if the chunk begins before the recording."""
        return chunk * self.core_samples - self.lead_samples


@dataclass(frozen=True, slots=True)
class Framing:
    """Which STFT frames of a chunk's spectrogram serve which of its ``chunk_frames`` frames.

    Frame i of the plan is computed from the rows ``[i * step_frames, i * step_frames + window_frames)`` of the
    spectrogram, which has ``n_frames`` rows. If ``shared``, the rows come from one STFT of the chunk, and each row
    serves every window that contains it. Otherwise the step is not a whole number of STFT hops, and every window has
    its own rows, one window after the other.
    """

    window_frames: int
    step_frames: int
    n_frames: int
    shared: bool

    @property
    def frame_wise(self) -> bool:
        """Whether each frame of the plan is one STFT frame."""
        return self.window_frames == 1


def framing(plan: ChunkPlan, front: FrontEndSettings) -> Framing:
    """Return which STFT frames serve which frame of the plan.

    Plan and front end fit if their rates are equal and windows hold whole STFT frames. Windows of one frame must step
    by its hop.

    Raises
    ------
    ValueError
        If plan and front end do not fit.

    Examples
    --------
    >>> front = FrontEndSettings(rate=48000, n_fft=2048, hop_samples=1024)
    >>> framing(window_plan(front, window_s=0.4, step_s=0.05, core_s=1.0), front)
    Framing(window_frames=17, step_frames=2, n_frames=61, shared=True)
    """
    if plan.rate != front.rate:
        raise ValueError(f"chunk plan and front end disagree on rate: {plan.rate} and {front.rate}")
    beyond = plan.window_samples - front.n_fft
    if beyond < 0 or beyond % front.hop_samples:
        raise ValueError(
            f"chunk plan and front end disagree on window_samples / n_fft: {plan.window_samples} samples are not a "
            f"whole number of STFT frames of {front.n_fft} every {front.hop_samples}"
        )
    if beyond == 0 and plan.hop_samples != front.hop_samples:
        raise ValueError(
            f"chunk plan and front end disagree on hop_samples: {plan.hop_samples} and {front.hop_samples}"
        )
    window_frames = 1 + beyond // front.hop_samples
    shared = plan.hop_samples % front.hop_samples == 0
    step_frames = plan.hop_samples // front.hop_samples if shared else window_frames
    n_frames = (plan.chunk_frames - 1) * step_frames + window_frames
    return Framing(window_frames, step_frames, n_frames, shared)


def window_plan(
    front: FrontEndSettings, window_s: float, step_s: float, core_s: float, exact: bool = False
) -> ChunkPlan:
    """Return the plan of a sliding-window network: one frame every ``step_s``, computed from the window around its
    centre.

    Parameters
    ----------
    front
        Settings of the front end.
    window_s
        Length of a window in seconds. A window consists of the STFT frames that lie wholly within it, rounded down as
        the published models do at inference: 0.4 s at 48 kHz, 2048 and 1024 are 17 frames (0.384 s).
    step_s
        Step in seconds, rounded to the nearest whole number of STFT hops, at least one, so that windows share one STFT
        (0.05 s there are 2 hops, 42.7 ms).
    core_s
        Approximate length of a chunk's windows in seconds; chunks need no context.
    exact
        Round ``step_s`` to the nearest two samples instead. Windows that share no frames need one STFT each.

    Raises
    ------
    ValueError
        If a window holds fewer than two STFT frames.
    """
    if step_s <= 0:
        raise ValueError(f"step_s = {step_s:g} s must be more than 0 s")
    beyond = (to_samples(window_s, front.rate) - front.n_fft) // front.hop_samples
    if beyond < 1:
        least_s = (front.n_fft + front.hop_samples) / front.rate
        raise ValueError(
            f"window_s = {window_s:g} s is shorter than two STFT frames ({least_s:g} s at n_fft = {front.n_fft} and "
            f"hop_samples = {front.hop_samples})"
        )
    if exact:
        hop_samples = max(2, 2 * nearest_frames(step_s, 2 / front.rate))
    else:
        hop_samples = front.hop_samples * max(1, nearest_frames(step_s, front.hop_samples / front.rate))
    return ChunkPlan(
        rate=front.rate,
        hop_samples=hop_samples,
        window_samples=front.n_fft + beyond * front.hop_samples,
        core_frames=max(1, nearest_frames(core_s, hop_samples / front.rate)),
        context_frames=0,
    )


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
        actual = framing(plan, front)
        shared = f"every {actual.step_frames}, of one STFT" if actual.shared else "each with an STFT of its own"
        return (
            f"windows of {plan.window_samples / plan.rate:.4g} s every {plan.hop_s:.4g} s "
            f"(asked: {self.window_s:g} s and {self.step_s:g} s; {actual.window_frames} STFT frames {shared})"
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
