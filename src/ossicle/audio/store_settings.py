"""Settings of the store: what goes into it, and how it and what stays out of it are read."""

from ossicle.audio.probe import DecoderChoice
from ossicle.core.settings import setting, settings


@settings
class StoreSettings:
    """``[store]``: which recordings are decoded once for the training, and how the others are read."""

    raw: bool = setting(
        default=False, help="build no store: every recording is read from its own file, again and again"
    )
    only_biggest: int = setting(
        default=0, help="only so many recordings go into the store, the longest; 0 for all", unit="recordings", ge=0
    )
    longer_s: float = setting(
        default=0.0, help="only recordings of at least this length go into the store", unit="s", ge=0
    )
    leave_gb: float = setting(
        default=0.0,
        help="keep so much of the disk free: the longest recordings go into the store while there is room, the others "
        "are read from their files; 0 takes all there is",
        unit="GB",
        ge=0,
        digest=False,
    )
    decoder: DecoderChoice = setting(
        default="auto",
        help="library that decodes: auto is libsndfile, and FFmpeg (PyAV) for what it cannot read",
        choices=("auto", "soundfile", "av"),
    )
    raw_reading: str = setting(
        default="seek",
        help="how a stretch of a recording that is not in the store is read: by seeking to it, or by decoding all of "
        "the recording, which pays for short lossy files with a cache",
        choices=("seek", "whole"),
    )
    cache_mb: float = setting(
        default=0.0,
        help="memory for whole recordings, in each process that reads; the least recently used make room. 0: none",
        unit="MB",
        ge=0,
        digest=False,
    )

    def __post_init__(self) -> None:
        """Refuse a choice among recordings where none goes into the store."""
        if self.raw and (self.only_biggest or self.longer_s):
            name = "only_biggest" if self.only_biggest else "longer_s"
            raise ValueError(f"raw = true builds no store: leave {name} out, or raw")
