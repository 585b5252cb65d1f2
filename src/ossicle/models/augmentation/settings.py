"""Settings of the augmentation's stages, apart from the code that needs torch.

A value or a probability of 0 draws nothing, so that trainings without a stage do not change when a stage is added.
"""

from ossicle.core.settings import setting, settings


@settings
class EarlySettings:
    """Variations of the waveforms of single crops, before any mixing."""

    shift_probability: float = setting(default=0.0, help="share of crops that are shifted in time", ge=0, le=1)
    shift_s: float = setting(default=1.0, help="largest shift, in either direction", unit="s", ge=0)
    shift: str = setting(
        default="circular",
        help="what fills the gap after a shift: the sound from the other end (circular) or silence (zeros); "
        "targets of frames move with the sound, labels of clips do not change",
        choices=("circular", "zeros"),
    )
    polarity_probability: float = setting(default=0.0, help="share of crops with inverted sign", ge=0, le=1)
    hiss_probability: float = setting(
        default=0.0, help="share of crops with added steady noise, white or falling with frequency", ge=0, le=1
    )
    hiss_low_db: float = setting(default=5.0, help="lowest ratio of the calls to that noise", unit="dB")
    hiss_high_db: float = setting(default=20.0, help="highest ratio of the calls to that noise", unit="dB")

    def __post_init__(self) -> None:
        """Reject ratios whose lower limit is above the upper one."""
        ordered(self, "hiss_low_db", "hiss_high_db")


@settings
class MixupSettings:
    """Addition of two crops of the batch."""

    probability: float = setting(
        default=0.0,
        help="share of crops that are mixed with another crop of the batch; for labels of clips",
        ge=0,
        le=1,
    )
    alpha: float = setting(
        default=0.0,
        help="the share of the crop in the mix is drawn from Beta(alpha, alpha): 1 is uniform, lower values "
        "give mostly one of the two; 0: half of each, without a draw",
        ge=0,
    )
    labels: str = setting(
        default="union",
        help="labels of the mix: 1 - (1 - a)(1 - b) (union), a + b up to 1 (sum), the larger (max), weighted "
        "by share (soft)",
        choices=("union", "sum", "max", "soft"),
    )
    balance: str = setting(
        default="amplitude",
        help="what the share refers to: samples (amplitude), or loudness, with the louder crop turned down (pressure)",
        choices=("amplitude", "pressure"),
    )


@settings
class SpectralSettings:
    """Variations of frequencies and spectrograms, after all mixing."""

    filter_probability: float = setting(
        default=0.0, help="share of crops with a random filter that lowers some frequencies", ge=0, le=1
    )
    filter_db: float = setting(default=20.0, help="largest attenuation of a frequency", unit="dB", ge=0)
    filter_points: int = setting(
        default=4,
        help="number of random gains between 0 Hz and half the rate, connected by straight lines in dB",
        ge=2,
        le=64,
    )
    power_probability: float = setting(
        default=0.0,
        help="share of spectrograms with changed contrast: levels between minimum and maximum are raised to a power",
        ge=0,
        le=1,
    )
    power_low: float = setting(default=0.5, help="lowest power; makes faint sound stronger", gt=0, le=1)
    power_high: float = setting(default=2.0, help="highest power; makes faint sound weaker", ge=1, le=10)
    treble_probability: float = setting(
        default=0.0, help="share of spectrograms with lowered high bands, as from a larger distance", ge=0, le=1
    )
    treble_db: float = setting(
        default=20.0,
        help="largest attenuation: from 0 at the lowest band to this at a band in the upper half",
        ge=0,
        unit="dB",
    )
    frequency_masks: int = setting(
        default=1,
        help="highest number of frequency masks of a crop, each up to augment.frequency_mask wide",
        ge=1,
        le=32,
    )
    frequency_mask_probability: float = setting(default=1.0, help="share of crops with such masks", ge=0, le=1)
    time_masks: int = setting(
        default=1, help="highest number of time masks of a crop, each up to augment.time_mask_s long", ge=1, le=32
    )
    time_mask_probability: float = setting(default=1.0, help="share of crops with such masks", ge=0, le=1)


def ordered(instance: object, low: str, high: str, unit: str = " dB") -> None:
    """Raise ValueError if the lower limit of a range is above the upper one."""
    least, most = getattr(instance, low), getattr(instance, high)
    if least > most:
        raise ValueError(f"{low} = {least:g}{unit} must not be above {high} = {most:g}{unit}")
