"""Which frames of a chunk plan may decide about states, and when.

Only frames whose whole window lies within the recording count: the scorer pads the others with zeros, and what a model
says about silence that nobody recorded is no evidence.
"""

from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.time import frames_covering, to_seconds


def first_full_frame(plan: ChunkPlan) -> int:
    """Return the first frame whose window begins at or after the start of the recording.

    >>> first_full_frame(ChunkPlan(rate=8000, hop_samples=4000, window_samples=16000, core_frames=1, context_frames=0))
    2
    """
    return max(0, frames_covering(plan.window_samples - plan.hop_samples, 2 * plan.hop_samples))


def n_full_frames(plan: ChunkPlan, n_samples: int) -> int:
    """Return how many frames have their window end within ``n_samples`` samples, counted from frame 0."""
    beyond = n_samples - (plan.window_samples + plan.hop_samples) // 2
    return min(plan.n_frames(n_samples), beyond // plan.hop_samples + 1) if beyond >= 0 else 0


def frame_centre_s(plan: ChunkPlan, frame: int) -> float:
    """Return the middle of a frame, which is that of its window, in seconds."""
    return to_seconds(frame * plan.hop_samples + plan.hop_samples // 2, plan.rate)


def frame_arrival_s(plan: ChunkPlan, frame: int) -> float:
    """Return when the last sample of the frame's chunk has arrived, in seconds; with one frame a chunk and no context
    that is the end of the frame's window.
    """
    return to_seconds(plan.start_sample(frame // plan.core_frames) + plan.chunk_samples, plan.rate)
