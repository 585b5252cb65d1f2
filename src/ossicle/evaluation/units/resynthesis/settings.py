"""Settings of the test of a vocoder on held-out recordings (``[resynthesis]``): what is judged, and the bars."""

from ossicle.core.settings import setting, settings


@settings
class ResynthesisSettings:
    """How a vocoder is judged, and what its figures must reach."""

    num_samples: int = setting(
        default=20, help="held-out segments that are synthesised and judged; of more, this many are drawn", ge=1
    )
    seed: int = setting(default=0, help="seed of the draw of segments and of the intervals", ge=0)
    most_mcd_db: float = setting(
        default=8.0, help="bar: the largest mel-cepstral distortion of frames at the same times", unit="dB", gt=0
    )
    least_length: float = setting(
        default=0.95, help="bar: the shortest resynthesis, relative to the recordings", gt=0, le=1
    )
    most_length: float = setting(
        default=1.05, help="bar: the longest resynthesis, relative to the recordings", ge=1, le=10
    )
    snr_db: float = setting(
        default=5.0,
        help="shown beside the SNR, and never decides: a resynthesis does not know the phase of the recording",
        unit="dB",
    )
