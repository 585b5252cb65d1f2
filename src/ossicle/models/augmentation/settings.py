"""The settings of the augmentation's stages, apart from the code that needs torch.

What is 0, or a probability of 0, draws nothing: trainings without a stage are those of before it was there.
"""

from ossicle.core.settings import setting, settings


@settings
class EarlySettings:
    """Waveforms of single crops, before any mixing."""

    shift_probability: float = setting(default=0.0, help="share of crops that are moved in time", ge=0, le=1)
    shift_s: float = setting(default=1.0, help="farthest they are moved, to either side", unit="s", ge=0)
    shift: str = setting(
        default="circular",
        help="what comes in at one end: what left at the other (circular) or silence (zeros); targets of frames move "
        "with the sound, labels of clips stay",
        choices=("circular", "zeros"),
    )
    polarity_probability: float = setting(default=0.0, help="share of crops whose sign is turned", ge=0, le=1)
    hiss_probability: float = setting(
        default=0.0, help="share of crops that steady noise is added to, white or falling with frequency", ge=0, le=1
    )
    hiss_low_db: float = setting(default=5.0, help="least ratio of the crop's calls to that noise", unit="dB")
    hiss_high_db: float = setting(default=20.0, help="highest ratio of the crop's calls to that noise", unit="dB")

    def __post_init__(self) -> None:
        """Refuse ratios upside down."""
        ordered(self, "hiss_low_db", "hiss_high_db")


@settings
class MixupSettings:
    """Two crops of the batch heard at once."""

    probability: float = setting(
        default=0.0, help="share of crops that another crop of the batch is mixed with; for labels of clips", ge=0, le=1
    )
    alpha: float = setting(
        default=0.0,
        help="the crop's share of the mix is drawn from Beta(alpha, alpha): 1 is even, less is mostly one of both; 0 "
        "is no draw, half of each",
        ge=0,
    )
    labels: str = setting(
        default="union",
        help="labels of the mix: 1 - (1 - a)(1 - b) (union), a + b up to 1 (sum), the larger one (max), each by its "
        "share (soft)",
        choices=("union", "sum", "max", "soft"),
    )
    balance: str = setting(
        default="amplitude",
        help="what the share is a share of: samples (amplitude), or what is heard, louder crops turned down (pressure)",
        choices=("amplitude", "pressure"),
    )


@settings
class SpectralSettings:
    """Frequencies and spectrograms, after all mixing."""

    filter_probability: float = setting(
        default=0.0, help="share of crops whose frequencies are turned down at random", ge=0, le=1
    )
    filter_db: float = setting(default=20.0, help="most that a frequency is turned down", unit="dB", ge=0)
    filter_points: int = setting(
        default=4, help="gains drawn between 0 Hz and half the rate; straight lines in dB between them", ge=2, le=64
    )
    power_probability: float = setting(
        default=0.0,
        help="share of spectrograms whose contrast changes: levels, from the least to the largest, ^ power",
        ge=0,
        le=1,
    )
    power_low: float = setting(default=0.5, help="least power; faint sound comes forward", gt=0, le=1)
    power_high: float = setting(default=2.0, help="highest power; faint sound recedes", ge=1, le=10)
    treble_probability: float = setting(
        default=0.0, help="share of spectrograms whose high bands are turned down, as distance does", ge=0, le=1
    )
    treble_db: float = setting(
        default=20.0,
        help="most that they are: from 0 at the lowest band to this at a band of the upper half",
        ge=0,
        unit="dB",
    )
    frequency_masks: int = setting(
        default=1, help="most frequency masks of a crop, each up to augment.frequency_mask wide", ge=1, le=32
    )
    frequency_mask_probability: float = setting(default=1.0, help="share of crops that have any", ge=0, le=1)
    time_masks: int = setting(
        default=1, help="most time masks of a crop, each up to augment.time_mask_s long", ge=1, le=32
    )
    time_mask_probability: float = setting(default=1.0, help="share of crops that have any", ge=0, le=1)


def ordered(instance: object, low: str, high: str, unit: str = " dB") -> None:
    """Refuse a range that is upside down, with a ValueError."""
    least, most = getattr(instance, low), getattr(instance, high)
    if least > most:
        raise ValueError(f"{low} = {least:g}{unit} must not be above {high} = {most:g}{unit}")
