"""The chunk plan: the absolute grid on which a model reads a recording (invariant 4).

A chunk is ``core_frames`` frames that are scored plus ``context_frames`` on each side that are only looked at. Frame
k of a recording stands for samples [k * hop, (k + 1) * hop) and is computed from ``window_samples`` samples around its
centre. So chunk i needs the samples from ``start_sample(i)`` (negative for the first: the missing ones are zeros) and
``chunk_samples`` of them, whatever the feed or batch size.
"""

from ossicle.core.settings import setting, settings
from ossicle.core.time import frames_covering


@settings
class ChunkPlan:
    """Rate and geometry of the chunks a model reads."""

    rate: int = setting(help="sample rate the model reads", unit="Hz", ge=1000)
    hop_samples: int = setting(help="samples a frame; even", ge=2)
    window_samples: int = setting(help="samples each frame is computed from; even", ge=2)
    core_frames: int = setting(help="frames scored in a chunk", ge=1)
    context_frames: int = setting(help="frames of context on each side of the core", ge=0)

    def __post_init__(self) -> None:
        """Refuse a grid whose frame centres would fall between samples."""
        if self.hop_samples % 2 or self.window_samples % 2:
            raise ValueError(
                f"hop_samples = {self.hop_samples} and window_samples = {self.window_samples} must be even, "
                "so that frame centres fall on samples"
            )

    @property
    def hop_s(self) -> float:
        """Seconds a frame."""
        return self.hop_samples / self.rate

    @property
    def chunk_frames(self) -> int:
        """Frames in a chunk, context included."""
        return self.core_frames + 2 * self.context_frames

    @property
    def core_samples(self) -> int:
        """Samples from one chunk's core to the next."""
        return self.core_frames * self.hop_samples

    @property
    def chunk_samples(self) -> int:
        """Samples a chunk needs."""
        return (self.chunk_frames - 1) * self.hop_samples + self.window_samples

    @property
    def lead_samples(self) -> int:
        """Samples before a chunk's core that the chunk needs."""
        return self.context_frames * self.hop_samples + (self.window_samples - self.hop_samples) // 2

    @property
    def latency_s(self) -> float:
        """Seconds from the start of a core until its chunk is whole."""
        return (self.chunk_samples - self.lead_samples) / self.rate

    def n_frames(self, n_samples: int) -> int:
        """Frames of a recording of ``n_samples`` at the plan's rate (the last frame may be partial)."""
        return frames_covering(n_samples, self.hop_samples)

    def n_chunks(self, n_samples: int) -> int:
        """Chunks that cover such a recording."""
        return frames_covering(self.n_frames(n_samples), self.core_frames)

    def start_sample(self, chunk: int) -> int:
        """First sample of a chunk; negative where it begins before the recording."""
        return chunk * self.core_samples - self.lead_samples
