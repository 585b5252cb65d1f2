"""Settings of the store: its content, and how recordings in and outside it are read."""

from ossicle.audio.info import DecoderChoice
from ossicle.core.settings import setting, settings


@settings
class StoreSettings:
    """``[store]``: which recordings are decoded once for training, and how the others are read."""

    raw: bool = setting(
        default=False, help="build no store; decode recordings from their files whenever they are needed"
    )
    only_biggest: int = setting(
        default=0, help="store only this many recordings, the longest; 0: all", unit="recordings", ge=0
    )
    longer_s: float = setting(default=0.0, help="store only recordings of at least this length", unit="s", ge=0)
    leave_gb: float = setting(
        default=0.0,
        help="keep this much of the disk free; the longest recordings are stored first, the others are read "
        "from their files; 0: store all",
        unit="GB",
        ge=0,
        digest=False,
    )
    decoder: DecoderChoice = setting(
        default="auto",
        help="decoder: auto uses libsndfile, and FFmpeg (PyAV) for files it cannot read",
        choices=("auto", "soundfile", "av"),
    )
    raw_reading: str = setting(
        default="seek",
        help="how to read part of a recording that is not in the store: seek to it, or decode the whole "
        "recording, which is faster for short lossy files with a cache",
        choices=("seek", "whole"),
    )
    cache_mb: float = setting(
        default=0.0,
        help="cache for whole recordings in each reading process; 0: no cache",
        unit="MB",
        ge=0,
        digest=False,
    )

    def __post_init__(self) -> None:
        """Reject a choice among recordings if none goes into the store."""
        if self.raw and (self.only_biggest or self.longer_s):
            name = "only_biggest" if self.only_biggest else "longer_s"
            raise ValueError(f"raw = true builds no store: remove {name} or raw")
