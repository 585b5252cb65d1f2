"""The clips of a project with an encoder: chunk plan and windows at the encoder's rate."""

from dataclasses import dataclass

from ossicle.app.project.load import Project
from ossicle.core.errors import UsageError
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.core.model_input.encoder_windows import EncoderWindows


@dataclass(frozen=True, slots=True)
class ClipGrid:
    """How a model with an encoder reads recordings: clips one after the other, each in windows of the features.

    Attributes
    ----------
    plan
        The clips: one frame each.
    windows
        The windows of a clip.
    """

    plan: ChunkPlan
    windows: EncoderWindows

    @property
    def n_windows(self) -> int:
        """Number of windows in a clip."""
        return self.windows.count(self.plan.window_samples)

    @property
    def clip_hops(self) -> int:
        """Windows of the features from the start of a clip to that of the next."""
        return self.plan.hop_samples // self.windows.hop_samples

    def n_clips(self, n_windows: int) -> int:
        """Return the number of clips of a recording with so many windows in the features."""
        return 0 if n_windows < self.n_windows else 1 + (n_windows - self.n_windows) // self.clip_hops


def clip_grid(project: Project, spec: EncoderSpec) -> ClipGrid:
    """Return the clips of a project at the rate of its encoder.

    Raises
    ------
    UsageError
        A clip is an odd number of samples at this rate, so that its middle falls between two samples.
    """
    features, settings = project.settings.features, project.settings
    hop = features.hop_samples(spec.rate)
    windows = EncoderWindows(window_samples=features.window_samples(spec.rate), hop_samples=hop)
    clip = settings.clip_hops * hop
    try:
        plan = ChunkPlan(
            rate=spec.rate,
            hop_samples=clip,
            window_samples=clip,
            core_frames=1,
            context_frames=0,
            channel=settings.audio.name,
        )
        if windows.count(clip) == 0:
            raise ValueError(f"a clip has {clip} samples, fewer than the {windows.window_samples} of a window")
    except ValueError as problem:
        raise UsageError(
            f"{project.origin('features', 'hop_s')}: [features] hop_s = {features.hop_s:g}: {settings.clip_hops} of "
            f"them are a clip, at the {spec.rate} Hz of the encoder {spec.name!r}: {problem}; choose a multiple of "
            f"{2 / spec.rate:g} s"
        ) from problem
    return ClipGrid(plan, windows)
