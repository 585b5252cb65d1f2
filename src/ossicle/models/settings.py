"""Settings of models, apart from the code that needs torch: projects are checked where torch is not installed."""

from collections.abc import Mapping
from typing import ClassVar

from ossicle.core.settings import setting, settings
from ossicle.models.augmentation.settings import EarlySettings, MixupSettings, SpectralSettings, ordered
from ossicle.models.model_kinds import FRAME_WISE, MODEL_KINDS, ModelKind


@settings
class CrnnSettings:
    """``[model.crnn]``: size of the network."""

    channels: tuple[int, ...] = setting(
        default=(16, 32, 64), help="number of channels of each convolution block", ge=1, le=2048
    )
    pools: tuple[int, ...] = setting(default=(4, 4, 2), help="pooling over frequency after each block", ge=1)
    hidden: int = setting(default=48, help="hidden units of the GRU in each direction", ge=1, le=2048)
    dropout: float = setting(default=0.1, help="dropout between blocks and before the output", ge=0, lt=1)

    kind: ClassVar[ModelKind] = FRAME_WISE
    level_free: ClassVar[bool] = False
    network: ClassVar[str] = "crnn"

    def __post_init__(self) -> None:
        """Reject blocks without a pooling."""
        if len(self.channels) != len(self.pools) or not self.channels:
            raise ValueError(f"channels {self.channels} and pools {self.pools} must name the same number of blocks")


LEAST_DB = -300.0
"""No log-mel value is as low as this."""


@settings
class WindowSettings:
    """``[model.window]``: the image network that reads one window at a time."""

    backbone: str = setting(
        default="resnet18",
        help="name of a timm network: resnet10t is small; tf_efficientnetv2_s_in21k and eca_nfnet_l0 are "
        "common for birds; or small_cnn, Ossicle's own of 0.2 million weights, for short windows on a CPU",
    )
    max_pool: bool = setting(
        default=False,
        help="keep the max pooling after the stem of residual networks; four times as fast, with less detail; "
        "for wide windows",
    )
    normalise: str = setting(
        default="minmax",
        help="normalisation of each window: minmax (minimum to 0, maximum to 1), peak (maximum to 1, 80 dB "
        "below it to 0), level (-80 dB to 0, 20 dB to 1) or none",
        choices=("minmax", "peak", "level", "none"),
    )
    head: str = setting(
        default="mean",
        help="mean: one vector for the whole window; attention: a value and a weight for every position in "
        "time, so the model learns from labels of whole recordings where a sound is",
        choices=("mean", "attention"),
    )
    reading: str = setting(
        default="clips",
        help="clips: one score for each window; frames: one score for each position in time of a chunk, with "
        "the same weights (needs head = attention; chunks.core_s is then the clip length, and "
        "chunks.window_s is 0)",
        choices=("clips", "frames"),
    )
    pool: str = setting(
        default="gem",
        help="pooling of the attention head over frequency; gem is the generalised mean with a learned power",
        choices=("gem", "mean", "max"),
    )
    scores: str = setting(
        default="sigmoid",
        help="sigmoid: every label has its own score, so several can sound at once; softmax: one label of all, the "
        "scores of a window sum to 1 (at least two labels; a window without any is trained towards equal scores)",
        choices=("sigmoid", "softmax"),
        digest_default=False,
    )
    silence_db: float = setting(
        default=LEAST_DB,
        help="a window whose loudest mel value is at most this many dB of full scale holds no label: its scores are "
        f"all 0; {LEAST_DB:.0f}: no window is silent",
        ge=LEAST_DB,
        le=0,
        digest_default=False,
    )
    hidden: int = setting(default=512, help="hidden units of the attention head", ge=1, le=8192)
    dropout: float = setting(
        default=0.0,
        help="dropout before the output; half of it before the hidden layer of the attention head",
        ge=0,
        lt=1,
    )

    def __post_init__(self) -> None:
        """Reject frames without an attention head, and frames normalised together with other frames of their chunk."""
        if self.reading == "frames" and self.head != "attention":
            raise ValueError('reading = "frames" needs head = "attention": other heads keep no positions in time')
        if self.reading == "frames" and self.normalise not in ("level", "none"):
            raise ValueError(
                f'normalise = "{self.normalise}" makes a frame depend on the loudest of its chunk: with reading = '
                '"frames" set normalise = "level"'
            )
        if self.reading == "frames" and self.silence_db > LEAST_DB:
            raise ValueError(
                'silence_db is of windows, and reading = "frames" has none; use reading = "clips", or set '
                f"silence_db = {LEAST_DB:.0f}"
            )

    @property
    def kind(self) -> ModelKind:
        """The declared kind of the model, by its reading."""
        return MODEL_KINDS["window"][self.reading]

    @property
    def level_free(self) -> bool:
        """Whether the network ignores the level of its input: every window is normalised by its own maximum."""
        return self.normalise in ("minmax", "peak")

    @property
    def network(self) -> str:
        """The name of the network, for people."""
        return self.backbone


@settings
class ModelSettings:
    """``[model]``: which network, and its size."""

    name: str = setting(
        default="crnn",
        help="network: crnn scores frame by frame; window scores sliding windows or clips (then set chunks.window_s)",
        choices=tuple(MODEL_KINDS),
    )
    networks: int = setting(
        default=1,
        help="number of networks with other random weights that are trained side by side and scored as one, by the "
        "mean of their logits; training and scoring take about this many times as long",
        ge=1,
        le=32,
        digest_default=False,
    )
    crnn: CrnnSettings = setting(default=CrnnSettings(), help="size of the CRNN")
    window: WindowSettings = setting(default=WindowSettings(), help="the network of sliding windows")

    @property
    def own(self) -> CrnnSettings | WindowSettings:
        """The settings of the selected network; they define its kind."""
        networks: Mapping[str, CrnnSettings | WindowSettings] = {"crnn": self.crnn, "window": self.window}
        return networks[self.name]

    @property
    def kind(self) -> ModelKind:
        """The declared kind of the model."""
        return self.own.kind


@settings
class AugmentSettings:
    """``[augment]``: how training crops are varied, stage by stage (``models.augmentation``); stages in tables are off
    by default.
    """

    gain_db: float = setting(default=6.0, help="random gain between minus and plus this", unit="dB", ge=0)
    gain_probability: float = setting(default=1.0, help="share of crops with a random gain", ge=0, le=1)
    background_probability: float = setting(
        default=0.5, help="share of crops to which a crop without targets is added as background", ge=0, le=1
    )
    background_low_db: float = setting(
        default=-10.0, help="lowest level of the added background, or lowest signal-to-noise ratio", unit="dB"
    )
    background_high_db: float = setting(
        default=5.0, help="highest level of the added background, or highest signal-to-noise ratio", unit="dB"
    )
    background_by: str = setting(
        default="level",
        help="meaning of these levels: level: gain of the background as recorded; snr: ratio of the calls (of "
        "the whole crop if it has none) to the background; share: ignore the levels and use the share of "
        "the background in the sum, after scaling both to the same peak",
        choices=("level", "snr", "share"),
    )
    background_low_share: float = setting(
        default=0.25, help='lowest share of the background, with background_by = "share"', ge=0, le=1
    )
    background_high_share: float = setting(
        default=0.75, help='highest share of the background, with background_by = "share"', ge=0, le=1
    )
    normalise: str = setting(
        default="none",
        help="scale each crop to full peak: after all mixing (late), before it too (both), or never (none); "
        "for networks that ignore levels",
        choices=("none", "late", "both"),
    )
    noise_share: float = setting(
        default=0.125,
        help="crops of silence, noise and hum that are added to each batch, as a share of its size, so that the "
        "detector learns to be silent there; none of the recordings' own crops is lost; 0: none",
        ge=0,
        le=1,
    )
    tilt_db: float = setting(
        default=6.0, help="random equaliser with five points between minus and plus this", unit="dB", ge=0
    )
    tilt_probability: float = setting(default=1.0, help="share of crops with a random equaliser", ge=0, le=1)
    frequency_mask: float = setting(default=0.12, help="widest frequency mask, as a share of the bands", ge=0, le=0.5)
    time_mask_s: float = setting(
        default=0.0, help="longest time mask; masked frames keep their targets", unit="s", ge=0
    )
    pitch_low: float = setting(
        default=1.0, help="lowest factor of the frequencies of a crop; published window models: 0.5", gt=0, le=1
    )
    pitch_high: float = setting(
        default=1.0, help="highest factor of the frequencies of a crop; published window models: 1.5", ge=1, le=8
    )
    time_low: float = setting(
        default=1.0,
        help="lowest factor of the durations of a crop and its targets; published window models: 0.5",
        gt=0,
        le=1,
    )
    time_high: float = setting(
        default=1.0,
        help="highest factor of the durations of a crop and its targets; published window models: 2",
        ge=1,
        le=8,
    )

    stretch_probability: float = setting(
        default=1.0, help="share of crops whose frequencies and durations are stretched", ge=0, le=1
    )
    early: EarlySettings = setting(default=EarlySettings(), help="single crops before any mixing")
    mixup: MixupSettings = setting(default=MixupSettings(), help="two crops heard at once")
    spectral: SpectralSettings = setting(default=SpectralSettings(), help="frequencies and spectrograms")

    @property
    def stretches_pitch(self) -> bool:
        """Whether crops are stretched in pitch."""
        return self.pitch_low != 1.0 or self.pitch_high != 1.0

    @property
    def stretches_time(self) -> bool:
        """Whether crops are stretched in time."""
        return self.time_low != 1.0 or self.time_high != 1.0

    @property
    def of_waveforms(self) -> tuple[str, ...]:
        """Settings that would turn off each stage that changes waveforms; empty if none does."""
        early, spectral = self.early, self.spectral
        acting = {
            "gain_db = 0.0": self.gain_db * self.gain_probability > 0,
            "tilt_db = 0.0": self.tilt_db * self.tilt_probability > 0,
            "background_probability = 0.0": self.background_probability > 0,
            'normalise = "none"': self.normalise != "none",
            "early.shift_probability = 0.0": early.shift_probability > 0,
            "early.polarity_probability = 0.0": early.polarity_probability > 0,
            "early.hiss_probability = 0.0": early.hiss_probability > 0,
            "mixup.probability = 0.0": self.mixup.probability > 0,
            "spectral.filter_probability = 0.0": spectral.filter_probability > 0,
        }
        return tuple(name for name, acts in acting.items() if acts)

    def __post_init__(self) -> None:
        """Reject levels and shares whose lower limit is above the upper one."""
        ordered(self, "background_low_db", "background_high_db")
        ordered(self, "background_low_share", "background_high_share", unit="")
